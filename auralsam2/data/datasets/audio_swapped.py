"""A control: every clip hears the sound of another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from auralsam2.registry import DATASETS


@DATASETS.register_module()
class AudioSwapped(Dataset[dict[str, Any]]):
    """Clips with the audio of a clip in which other things sound; masks and frames stay.

    A model that truly listens must lose here; one that guesses salient objects does not.

    Args:
        dataset: node of the data set to wrap.
        root: passed on to it.
        image_size: passed on to it.
        seed: of the partners.

    Raises:
        ValueError: where some clip has no other clip with different sources.
    """

    def __init__(
        self, dataset: Mapping[str, Any], root: str, image_size: int = 1024, seed: int = 0
    ) -> None:
        self.dataset = DATASETS.build(dataset, root=root, image_size=image_size)
        self.seed = seed
        self.partners = self._pair(np.random.default_rng(seed))

    def _pair(self, rng: np.random.Generator) -> list[int]:
        sources = [clip.sources for clip in self.dataset.files]
        lengths = [len(clip.frames) for clip in self.dataset.files]
        partners = []
        for i, own in enumerate(sources):
            # Disjoint sources are best: nothing that the clip's truth shows may be heard.
            apart = [
                j
                for j, other in enumerate(sources)
                if lengths[j] == lengths[i] and other and not own & other and j != i
            ]
            if not apart:
                raise ValueError(
                    f"clip '{self.dataset.clips[i]}' ({', '.join(sorted(own)) or 'silent'}) has "
                    "no partner of equal length in which other things sound"
                )
            partners.append(int(rng.choice(apart)))
        return partners

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
        """The clip's item with its partner's ``log_mel``."""
        return {**self.dataset[index], "log_mel": self.dataset[self.partners[index]]["log_mel"]}

    def set_epoch(self, epoch: int) -> None:
        """Draw the frames' transforms anew."""
        self.dataset.set_epoch(epoch)

    def fingerprint(self) -> str:
        """Of the wrapped data and of the swap's seed."""
        return f"{self.dataset.fingerprint()}:swapped:{self.seed}"
