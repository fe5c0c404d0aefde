"""Pixels moved: left and right exchanged, turned and sheared about the centre of the picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auralsam2.data.transforms.base import ChanceTransform, ClipTransform
from auralsam2.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RandomClipFlip(ChanceTransform):
    """Mirror all frames and masks of a clip, or none.

    As released, the ears are not exchanged and expressions keep their "left" and "right".
    """

    def __init__(self, prob: float = 0.5) -> None:
        super().__init__(prob)

    def changed(self, clip: dict[str, Any]) -> dict[str, Any]:
        """The mirrored frames and masks."""
        import mmcv

        return {k: np.stack([mmcv.imflip(i) for i in clip[k]]) for k in ("frames", "masks")}


def affine_matrix(angle: float, shear: float, height: int, width: int) -> NDArray[np.float64]:
    """Where a pixel goes, with the geometry of torchvision's ``affine``; angles are in degrees.

    About the centre, x first becomes x - tan(shear) y, then the picture turns clockwise.

    Returns:
        (2, 3) map of (x, y, 1), positions counted in pixels from the middle of the first one.
    """
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    slant = math.tan(math.radians(shear))
    linear = np.array([[cos, -sin - cos * slant], [sin, cos - sin * slant]])
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    return np.column_stack([linear, centre - linear @ centre])


@TRANSFORMS.register_module()
class RandomClipAffine(ClipTransform):
    """Turn and shear all frames and masks of a clip alike.

    Frames are sampled bilinearly; masks take the nearest level and 0 outside of the picture.

    Args:
        degrees: largest turn to either side.
        shear: largest horizontal shear to either side, in degrees.
        fill: RGB that comes in from outside of the picture, by default ImageNet's mean.

    Raises:
        ValueError: where an angle is negative, a shear 90 degrees or more, or ``fill`` no colour.
    """

    def __init__(
        self, degrees: float = 25, shear: float = 20, fill: Sequence[int] = (123, 116, 103)
    ) -> None:
        problems = []
        if not 0 <= degrees <= 180:
            problems.append(f"{degrees=}; it is in [0, 180]")
        if not 0 <= shear < 90:
            problems.append(f"{shear=}; it is in [0, 90)")
        if len(fill) != 3 or not all(0 <= level <= 255 for level in fill):
            problems.append(f"{fill=}; it is red, green and blue in [0, 255]")
        if problems:
            raise ValueError("RandomClipAffine got " + ", and ".join(problems))
        self.degrees, self.shear = degrees, shear
        self.fill = tuple(int(level) for level in fill)

    def __call__(self, clip: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
        """Turn and shear the clip by one draw each, uniform to either side."""
        angle = float(rng.uniform(-self.degrees, self.degrees))
        shear = float(rng.uniform(-self.shear, self.shear))
        frames, masks = clip["frames"], clip["masks"]
        matrix = affine_matrix(angle, shear, *frames.shape[1:3])
        return {
            **clip,
            "frames": np.stack([_warp(i, matrix, "bilinear", self.fill) for i in frames]),
            "masks": np.stack([_warp(m, matrix, "nearest", (0,)) for m in masks]),
        }


def _warp(
    image: NDArray[np.uint8], matrix: NDArray[np.float64], how: str, fill: tuple[int, ...]
) -> NDArray[np.uint8]:
    """Sample once; mmcv rotates or shears, each with a sampling of its own."""
    import cv2

    flags = {"bilinear": cv2.INTER_LINEAR, "nearest": cv2.INTER_NEAREST}[how]
    size = image.shape[1::-1]
    return np.asarray(cv2.warpAffine(image, matrix, size, flags=flags, borderValue=fill))
