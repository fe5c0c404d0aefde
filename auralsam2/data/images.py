"""Pictures of frames and of labels, decoded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from auralsam2.data.problems import DataError

WHITE = 255
"""Level of pure white, and of every object under the published label rule."""


def read_image(path: Path) -> NDArray[np.uint8]:
    """Decode a picture to (H, W, 3) RGB.

    Raises:
        DataError: where it cannot be decoded, or ends before its last row.
    """
    import cv2
    import mmcv

    content = path.read_bytes()
    try:
        image = mmcv.imfrombytes(content, flag="color", channel_order="rgb")
    except cv2.error as error:  # mmcv hands on what OpenCV could not decode
        raise DataError(f"cannot decode the image '{path}'") from error
    if _ends_early(content):
        raise DataError(f"cannot decode the image '{path}': the file ends early")
    return np.asarray(image, dtype=np.uint8)


def _ends_early(content: bytes) -> bool:
    """Whether a JPEG or PNG lacks its end; OpenCV fills the rest with grey or black."""
    # A thumbnail in a JPEG's header has an end of its own.
    if content.startswith(b"\xff\xd8"):
        return content.rfind(b"\xff\xd9") < len(content) // 2
    return content.startswith(b"\x89PNG") and b"IEND" not in content


def image_size(path: Path) -> tuple[int, int]:
    """(H, W) of a picture, from its header; (0, 0) where it has none."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            return image.height, image.width
    except OSError:
        return 0, 0


def _any_channel(path: Path) -> NDArray[np.uint8]:
    """White where any channel is above 0, so that a dark colour counts too."""
    red, green, blue = np.moveaxis(read_image(path), 2, 0)  # a maximum over axis 2 is slow
    return ((red | green | blue) > 0).astype(np.uint8) * np.uint8(WHITE)


def _luminance(path: Path) -> NDArray[np.uint8]:
    """Luminance of ITU-R 601, rounded: the darkest colours (blue up to 4) are background."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            return np.array(image.convert("L"))
    except (OSError, SyntaxError) as error:  # Pillow calls a broken PNG a SyntaxError
        raise DataError(f"cannot decode the image '{path}'") from error


LABEL_RULES: dict[str, Callable[[Path], NDArray[np.uint8]]] = {
    "published": _any_channel,
    "released": _luminance,
}
"""Name -> reader of a label picture to levels (H, W), 0 on the background."""


def objects(levels: NDArray[np.uint8], keep_white: bool = False) -> NDArray[np.uint8]:
    """Levels of a label -> 1 on objects, 0 elsewhere.

    Args:
        levels: any shape, 0 on the background.
        keep_white: leave 255 as it is, a value of its own beside 0 and 1.
    """
    masks = (levels > 0).astype(np.uint8)
    if keep_white:
        masks[levels == WHITE] = WHITE
    return masks
