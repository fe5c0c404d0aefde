"""Random transforms of whole clips whose draws hang on (seed, epoch, clip) and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from auralsam2.registry import TRANSFORMS


class Augmentation:
    """A chain of clip transforms.

    Order of the clips, number of workers and resumption leave the draws as they are: every clip of
    every epoch has a generator of its own.

    Args:
        nodes: nodes of ``TRANSFORMS``, applied in this order.
        seed: of the draws.
    """

    def __init__(self, nodes: Sequence[Mapping[str, Any]], seed: int = 0) -> None:
        self.transforms = [TRANSFORMS.build(node) for node in nodes]
        self.seed = seed
        self._epoch = torch.zeros((), dtype=torch.int64)

    @property
    def epoch(self) -> int:
        """The epoch whose draws are handed out."""
        return int(self._epoch)

    def set_epoch(self, epoch: int) -> None:
        """Draw anew for another epoch.

        Workers that were started after the first call see later calls too: persistent workers
        keep their copy of the data set, and its epoch lies in shared memory.
        """
        # Not in __init__: a deep copy, as mmengine makes of loaders, has memory of its own.
        self._epoch.share_memory_()
        self._epoch.fill_(epoch)

    def __bool__(self) -> bool:
        return bool(self.transforms)

    def __call__(
        self, frames: NDArray[np.uint8], masks: NDArray[np.uint8], index: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Transform one clip.

        Args:
            frames: (T, H, W, 3) RGB; not changed.
            masks: (T, H, W), 0 on the background; not changed.
            index: number of the clip in its data set.

        Returns:
            Frames and masks of the same shapes.
        """
        rng = np.random.default_rng([self.seed, self.epoch, index])
        clip: dict[str, Any] = {"frames": frames, "masks": masks}
        for transform in self.transforms:
            clip = transform(clip, rng)
        return clip["frames"], clip["masks"]
