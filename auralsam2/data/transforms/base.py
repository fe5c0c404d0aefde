"""What a transform of a clip is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np


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


def check_probability(name: str, prob: float) -> float:
    """Return ``prob``.

    Raises:
        ValueError: where it is not in [0, 1].
    """
    if not 0 <= prob <= 1:
        raise ValueError(f"{name} got {prob=}; it is a probability in [0, 1]")
    return prob
