"""What becomes of pictures: out of focus, dark, compressed, hidden in part."""

from __future__ import annotations

from math import inf

import numpy as np
from numpy.typing import NDArray

from auralsam2.data.corruptions.base import CORRUPTIONS, PictureCorruption, Pictures


@CORRUPTIONS.register_module()
class Blur(PictureCorruption):
    """Gaussian blur; the strength is its standard deviation in percent of the shorter side."""

    title = "blur"
    measure = "σ of the side"
    unit = " %"
    usual = (1.0, 2.0, 4.0)
    bounds = (0.0, 100.0)

    def __call__(self, clip: Pictures, strength: float, rng: np.random.Generator) -> Pictures:
        """Every frame alike."""
        import cv2

        return [
            np.asarray(cv2.GaussianBlur(image, (0, 0), strength / 100 * min(image.shape[:2])))
            for image in clip
        ]


@CORRUPTIONS.register_module()
class Darkness(PictureCorruption):
    """Less light; the strength is how often the values of all pixels are halved."""

    title = "darkness"
    measure = "halvings"
    usual = (1.0, 2.0, 4.0)
    bounds = (0.0, 8.0)

    def __call__(self, clip: Pictures, strength: float, rng: np.random.Generator) -> Pictures:
        """Rounded to 8 bits again, so that dark detail is lost."""
        levels = np.round(np.arange(256) / 2**strength).astype(np.uint8)
        return [levels[image] for image in clip]


@CORRUPTIONS.register_module()
class JPEGCompression(PictureCorruption):
    """Compressed by JPEG; the strength is the quality, 100 the best."""

    title = "JPEG"
    measure = "quality"
    usual = (20.0, 10.0, 5.0)
    clean = inf
    bounds = (1.0, inf)

    def __call__(self, clip: Pictures, strength: float, rng: np.random.Generator) -> Pictures:
        """By OpenCV, with its usual subsampling of colours."""
        import cv2

        quality = [cv2.IMWRITE_JPEG_QUALITY, min(100, round(strength))]
        # Channels are told apart by the subsampling alone; it wants them as files have them.
        files = [cv2.imencode(".jpg", image[..., ::-1], quality)[1] for image in clip]
        decoded = [np.asarray(cv2.imdecode(file, cv2.IMREAD_COLOR), np.uint8) for file in files]
        return [np.ascontiguousarray(image[..., ::-1]) for image in decoded]


@CORRUPTIONS.register_module()
class Occlusion(PictureCorruption):
    """A grey rectangle of the frame's shape over all frames; the strength is its share of the area.

    Its place is drawn once a clip, and a larger one holds every smaller one. What it hides still
    belongs to the truth.
    """

    title = "occlusion"
    measure = "share of the frame"
    usual = (0.1, 0.2, 0.4)
    bounds = (0.0, 1.0)

    def __call__(self, clip: Pictures, strength: float, rng: np.random.Generator) -> Pictures:
        """Middle grey, as of a finger or a post that nobody knows."""
        place = rng.random(2)
        return [_covered(image, strength, place) for image in clip]


def _covered(
    image: NDArray[np.uint8], share: float, place: NDArray[np.float64]
) -> NDArray[np.uint8]:
    sides = np.array(image.shape[:2])
    size = np.round(sides * share**0.5).astype(int)
    top, left = np.round(place * (sides - size)).astype(int)
    covered = image.copy()
    covered[top : top + size[0], left : left + size[1]] = 128
    return covered
