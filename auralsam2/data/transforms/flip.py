"""Left and right exchanged."""

from __future__ import annotations

from typing import Any

import numpy as np

from auralsam2.data.transforms.base import ClipTransform, check_probability
from auralsam2.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RandomClipFlip(ClipTransform):
    """Mirror all frames and masks of a clip, or none.

    As released, the ears are not exchanged and expressions keep their "left" and "right".

    Args:
        prob: share of the clips that are mirrored.

    Raises:
        ValueError: where ``prob`` is no probability.
    """

    def __init__(self, prob: float = 0.5) -> None:
        self.prob = check_probability("RandomClipFlip", prob)

    def __call__(self, clip: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
        """Mirror the clip with probability ``prob``."""
        import mmcv

        if rng.random() >= self.prob:
            return clip
        flipped = {
            key: np.stack([mmcv.imflip(image) for image in clip[key]])
            for key in ("frames", "masks")
        }
        return {**clip, **flipped}
