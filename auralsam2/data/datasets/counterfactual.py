"""Controls of what a model hears: clips shown as they are, under another sound."""

from __future__ import annotations

import zlib
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from auralsam2.data.audio import LOG_OFFSET, SAMPLE_RATE, log_mel_examples
from auralsam2.data.clip_contents import read_contents
from auralsam2.data.problems import DataError
from auralsam2.registry import DATASETS
from auralsam2.text_files import encode

LOUDEST_DB = 0.0


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
            there, see :class:`auralsam2.metrics.null_split.AreaMetric`.

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
        """Sound that is heard with clip ``index``, log-mel examples (T, A, 96, 64).

        As many as ``own``, those of its own sound, which are not to be written to.
        """

    @property
    def clips(self) -> list[str]:
        """Names of the clips whose frames are shown."""
        return list(self.dataset.clips)

    @property
    def label_source(self) -> str:
        """That of the wrapped data."""
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
        """That of the wrapped data, with the kind of sound and what it hangs on."""
        return ":".join([self.dataset.fingerprint(), self.counterfactual, *self.settings()])

    def settings(self) -> Sequence[str]:
        """What else the sound hangs on, for the fingerprint."""
        return [str(self.seed)]


@DATASETS.register_module()
class AudioSilence(CounterfactualAudio):
    """Clips with digital silence in place of their sound; masks and frames stay.

    The examples are those that the audio front end computes of samples of 0, not zeros. J against
    the real masks is *muted J*, the share of the score that needs no sound; a model that listens
    segments nothing, so that its muted J is that of the seconds whose truth is empty. Silence is
    always the same: the seed is not used.
    """

    counterfactual = "silence"
    empty_truth = True

    def hear(self, index: int, own: Tensor) -> Tensor:
        """What the front end makes of a waveform of zeros."""
        return _silence(len(own)).expand_as(own).clone()

    def settings(self) -> list[str]:
        """Silence hangs on nothing."""
        return []


@lru_cache(maxsize=8)
def _silence(num_frames: int) -> Tensor:
    samples = np.zeros((num_frames * SAMPLE_RATE, 1))
    return torch.from_numpy(log_mel_examples(samples, SAMPLE_RATE, num_frames))[:, :1]


@DATASETS.register_module()
class AudioNoise(CounterfactualAudio):
    """Clips with white noise in place of their sound; masks and frames stay.

    Something is heard, as loud as usual, that tells nothing: where silence is unlike anything a
    model was trained on, noise separates *no sound* from *no information*. Both ears hear the
    same. A clip's draw hangs on the seed and on the clip's name.

    Args:
        level_db: root mean square of the noise in dB below full scale, e.g. -20; None for the
            clip's own level: the mean over seconds, ears and bands of the mel spectrum (a
            magnitude, so that it grows with the amplitude) is that of the clip's sound.
        **settings: see :class:`CounterfactualAudio`, as for ``dataset`` and ``root``.

    Raises:
        ValueError: where the level is above full scale.
    """

    counterfactual = "noise"
    empty_truth = True

    def __init__(
        self,
        dataset: Mapping[str, Any] | Any,
        root: str,
        level_db: float | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(dataset, root, **settings)
        if level_db is not None and level_db > LOUDEST_DB:
            raise ValueError(f"level_db must be at most 0 dB (full scale) or None, got {level_db=}")
        self.level_db = level_db

    def hear(self, index: int, own: Tensor) -> Tensor:
        """Noise drawn for this clip, at its level."""
        name = zlib.crc32(encode(self.dataset.clips[index]))
        rng = np.random.default_rng([self.seed, name])
        num_frames = len(own)
        level_db = -20.0 if self.level_db is None else self.level_db
        samples = rng.standard_normal((num_frames * SAMPLE_RATE, 1)) * 10 ** (level_db / 20)
        log_mel = torch.from_numpy(log_mel_examples(samples, SAMPLE_RATE, num_frames))[:, :1]
        if self.level_db is None:
            # The spectrum is linear in the amplitude, so that the level can be set afterwards;
            # this way it also works where a data set has no waveforms.
            mel = log_mel.exp() - LOG_OFFSET
            factor = max(0.0, _mean(own.exp() - LOG_OFFSET)) / _mean(mel)
            log_mel = (mel * factor + LOG_OFFSET).log()
        return log_mel.expand_as(own).clone()

    def settings(self) -> list[str]:
        """The noise hangs on seed and level."""
        return [str(self.seed), "own" if self.level_db is None else f"{self.level_db:g}dB"]


def _mean(x: Tensor) -> float:
    """By NumPy: the last bits of torch's mean hang on the number of threads, fewer in a worker."""
    return float(x.numpy().mean(dtype=np.float64))


class PartnerAudio(CounterfactualAudio):
    """Clips that hear the recording of another clip of the same data set, drawn from the seed.

    The data set has ``files`` whose entries tell ``sources`` and ``frames``.

    Attributes:
        partners: for every clip the number of the one that it hears.

    Raises:
        ValueError: where some clip has no partner.
    """

    def __init__(self, dataset: Mapping[str, Any] | Any, root: str, **settings: Any) -> None:
        super().__init__(dataset, root, **settings)
        if not hasattr(self.dataset, "files"):
            raise ValueError(
                f"{type(self.dataset).__name__} has no `files` that tell what sounds in its clips: "
                f"'{self.counterfactual}' sound is not to be had; 'silence' and 'noise' are"
            )
        self.partners = self._pair(self.admits(), np.random.default_rng(self.seed))

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


@DATASETS.register_module()
class AudioSwapped(PartnerAudio):
    """Clips with the audio of a clip in which other things sound; masks and frames stay.

    A model that truly listens must lose here; one that guesses salient objects does not. What
    sounds in the partner may be in view, silent in truth: a model that listens segments that.
    """

    counterfactual = "swapped"
    empty_truth = False

    def admits(self) -> Callable[[int, int], bool]:
        """Disjoint sources: nothing that the clip's truth shows may be heard."""
        sources = [clip.sources for clip in self.dataset.files]
        return lambda i, j: bool(sources[j]) and not sources[i] & sources[j]

    def complaint(self, index: int) -> str:
        """What the clip is of, and that no other fits."""
        own = ", ".join(sorted(self.dataset.files[index].sources)) or "silent"
        return f"({own}) has no partner of its length or longer in which other things sound"


@DATASETS.register_module()
class AudioOffscreen(PartnerAudio):
    """Clips with a sound whose source is nowhere in view; masks and frames stay.

    The sound is the recording of another clip, all of whose sources are classes that the clip does
    not show. What a clip shows is known from the list of drawn objects where clips are synthetic,
    silent ones included. Elsewhere it is known from the classes of the labels, and these name what
    sounds only: on AVSBench something silent in view may be of the class that is heard, and this
    control asks no more than ``swapped`` does. Data without classes (Ref-AVS, the V1M part of
    AVSBench's object release) cannot tell, and are refused.
    """

    counterfactual = "offscreen"
    empty_truth = True

    def admits(self) -> Callable[[int, int], bool]:
        """No class that is heard is one that is seen."""
        contents = self._contents = read_contents(self.dataset)
        return lambda i, j: bool(contents[j].heard) and not contents[j].heard & contents[i].seen

    def complaint(self, index: int) -> str:
        """What the clip is of, and that no other fits."""
        seen = ", ".join(sorted(self._contents[index].seen)) or "nothing"
        return f"(in view: {seen}) has no partner that sounds of classes not in view"
