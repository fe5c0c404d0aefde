"""Frames and labels of a clip brought to the square that the backbone reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FRAME_INTERPOLATIONS = ("bilinear", "bicubic")
LABEL_INTERPOLATIONS = ("nearest", "bilinear")


class Resizing(NamedTuple):
    """Resizes to a square; the aspect ratio is not kept, as in SAM2.

    Attributes:
        size: S, side in pixels.
        frames: ``bilinear`` or ``bicubic``.
        labels: ``nearest``, or ``bilinear``, after which every level above 0 counts as object: an
            object then grows by up to half a pixel of its picture on every side.
    """

    size: int
    frames: str = "bilinear"
    labels: str = "nearest"

    def problems(self) -> list[str]:
        """What is wrong with the settings."""
        known = {"frame": FRAME_INTERPOLATIONS, "mask": LABEL_INTERPOLATIONS}
        given = {"frame": self.frames, "mask": self.labels}
        return [
            f"{name}_interpolation={given[name]!r}; known: {', '.join(choices)}"
            for name, choices in known.items()
            if given[name] not in choices
        ]

    def resize_frames(self, images: Iterable[NDArray[np.uint8]]) -> NDArray[np.uint8]:
        """T pictures (H, W, 3) -> (T, S, S, 3)."""
        import mmcv

        if self.frames == "bicubic":
            # Pillow's kernel has a = -0.5, as torchvision's; OpenCV's has a = -0.75. mmcv does not
            # hand Pillow's out.
            return np.stack([_bicubic(image, self.size) for image in images])
        size = (self.size, self.size)
        return np.stack([mmcv.imresize(i, size, interpolation="bilinear") for i in images])

    def resize_labels(self, levels: Iterable[NDArray[np.uint8]]) -> NDArray[np.uint8]:
        """T labels (H, W) -> (T, S, S)."""
        import mmcv

        size = (self.size, self.size)
        return np.stack([mmcv.imresize(m, size, interpolation=self.labels) for m in levels])


def _bicubic(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    from PIL import Image

    resized = Image.fromarray(image).resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(resized, dtype=np.uint8)
