"""What a transform of a clip is, and chains of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from auralsam2.registry import TRANSFORMS


class ClipTransform(ABC):
    """Changes the frames of a clip, and its masks where it moves pixels.

    Audio and text stay. A transform draws once a clip, whatever comes of it, so that it does not
    change the draws of the next one; it never writes into the arrays that it is given.
    """

    @abstractmethod
    def __call__(self, clip: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
        """Transform one clip.

        Args:
            clip: ``frames`` (T, H, W, 3) uint8 RGB and ``masks`` (T, H, W) uint8, 0 on the
                background, before they are resized.
            rng: all that is random comes from it.

        Returns:
            A dict of the same keys and shapes.
        """


class ChanceTransform(ClipTransform):
    """Changes a clip with a probability, always in the same way.

    Args:
        prob: share of the clips that are changed.

    Raises:
        ValueError: where ``prob`` is no probability.
    """

    def __init__(self, prob: float) -> None:
        if not 0 <= prob <= 1:
            raise ValueError(f"{type(self).__name__} got {prob=}; it is a probability in [0, 1]")
        self.prob = prob

    def __call__(self, clip: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
        """Change the clip, or return it as it is."""
        return clip if rng.random() >= self.prob else {**clip, **self.changed(clip)}

    @abstractmethod
    def changed(self, clip: dict[str, Any]) -> dict[str, Any]:
        """Frames, and masks where pixels move, as they become."""


class Augmentation:
    """A chain of clip transforms whose draws hang on (seed, epoch, clip) and nothing else.

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
        """Transform the frames (T, H, W, 3) RGB and masks (T, H, W) of clip ``index``."""
        rng = np.random.default_rng([self.seed, self.epoch, index])
        clip: dict[str, Any] = {"frames": frames, "masks": masks}
        for transform in self.transforms:
            clip = transform(clip, rng)
        return clip["frames"], clip["masks"]
