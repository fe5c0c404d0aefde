"""Controls of what a model hears: clips shown as they are, under another sound."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from torch import Tensor
from torch.utils.data import Dataset

from auralsam2.data.problems import DataError
from auralsam2.registry import DATASETS


class CounterfactualAudio(Dataset[dict[str, Any]]):
    """Clips with another sound; frames, masks, names and order stay.

    The truth stays, too, so that J on such a split tells how much of a model's score is left
    without the sound that belongs to the clip. A subclass registers itself in ``DATASETS``, states
    :attr:`counterfactual` and :attr:`empty_truth`, and gives :meth:`hear`.

    Attributes:
        counterfactual: kind of sound; the splits of ``evaluation.counterfactuals`` are named
            ``SPLIT_audio_KIND`` after it.
        empty_truth: whether nothing that is heard belongs to anything that is seen, so that a
            model that listens segments nothing. The area that is predicted all the same is scored
            there, see :class:`auralsam2.metrics.area.AreaMetric`.

    Args:
        dataset: node of the data set to wrap, or the data set itself.
        root: passed on to a node.
        image_size: passed on to a node.
        seed: of whatever is drawn.
    """

    counterfactual: ClassVar[str]
    empty_truth: ClassVar[bool]

    def __init__(
        self, dataset: Mapping[str, Any] | Any, root: str, image_size: int = 1024, seed: int = 0
    ) -> None:
        if isinstance(dataset, Mapping):
            dataset = DATASETS.build(dataset, root=root, image_size=image_size)
        self.dataset: Any = dataset
        self.seed = seed

    @abstractmethod
    def hear(self, index: int, own: Tensor) -> Tensor:
        """Sound that is heard with clip ``index``.

        Args:
            index: of the clip.
            own: its own log-mel examples (T, A, 96, 64), not to be written to.

        Returns:
            Log-mel examples of the same shape.
        """

    @property
    def clips(self) -> list[str]:
        """Names of the clips whose frames are shown."""
        return list(self.dataset.clips)

    @property
    def label_source(self) -> str:
        """Of the wrapped data."""
        return str(getattr(self.dataset, "label_source", ""))

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """The clip's item with another ``log_mel``."""
        item = self.dataset[index]
        return {**item, "log_mel": self.hear(index % len(self), item["log_mel"])}

    def set_epoch(self, epoch: int) -> None:
        """Draw the frames' transforms anew."""
        set_epoch = getattr(self.dataset, "set_epoch", None)
        if set_epoch is not None:
            set_epoch(epoch)

    def fingerprint(self) -> str:
        """Of the wrapped data, the kind of sound and what it hangs on."""
        return ":".join([self.dataset.fingerprint(), self.counterfactual, *self.settings()])

    def settings(self) -> Sequence[str]:
        """What else the sound hangs on, for the fingerprint."""
        return [str(self.seed)]


class PartnerAudio(CounterfactualAudio):
    """Clips that hear the recording of another clip of the same data set.

    Attributes:
        partners: for every clip the number of the one that it hears.

    Args:
        dataset: as above; it has ``files`` whose entries tell ``sources`` and ``frames``.
        root: as above.
        image_size: as above.
        seed: of the partners.

    Raises:
        ValueError: where some clip has no partner.
    """

    def __init__(
        self, dataset: Mapping[str, Any] | Any, root: str, image_size: int = 1024, seed: int = 0
    ) -> None:
        super().__init__(dataset, root=root, image_size=image_size, seed=seed)
        if not hasattr(self.dataset, "files"):
            raise ValueError(
                f"{type(self.dataset).__name__} has no `files` that tell what sounds in its clips: "
                f"'{self.counterfactual}' sound is not to be had; 'silence' and 'noise' are"
            )
        self.partners = self._pair(self.admits(), np.random.default_rng(seed))

    @abstractmethod
    def admits(self) -> Callable[[int, int], bool]:
        """Function of the numbers of two clips: whether the first may hear the second."""

    @abstractmethod
    def complaint(self, index: int) -> str:
        """What clip ``index`` lacks, where no other may be heard with it."""

    def _pair(self, admits: Callable[[int, int], bool], rng: np.random.Generator) -> list[int]:
        """Draw a partner of equal length; where there is none, a longer one, which is cut."""
        lengths = [len(clip.frames) for clip in self.dataset.files]
        partners = []
        for i, length in enumerate(lengths):
            others = [j for j, other in enumerate(lengths) if other >= length and j != i]
            equal = [j for j in others if lengths[j] == length and admits(i, j)]
            found = equal or [j for j in others if lengths[j] > length and admits(i, j)]
            if not found:
                raise ValueError(
                    f"clip '{self.dataset.clips[i]}' {self.complaint(i)}; leave "
                    f"'{self.counterfactual}' out of evaluation.counterfactuals (or of data.test), "
                    "or take more clips"
                )
            partners.append(int(rng.choice(found)))
        return partners

    def hear(self, index: int, own: Tensor) -> Tensor:
        """The partner's first T examples."""
        partner = self.partners[index]
        read = getattr(self.dataset, "log_mel", None)  # without decoding the partner's frames
        heard: Tensor = self.dataset[partner]["log_mel"] if read is None else read(partner)
        if len(heard) < len(own):
            raise DataError(
                f"the sound of clip '{self.dataset.clips[partner]}' has {len(heard)} examples, and "
                f"'{self.dataset.clips[index]}', which is to hear it, has {len(own)} frames"
            )
        return heard[: len(own)]
