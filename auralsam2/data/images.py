"""Pictures of frames, decoded."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auralsam2.data import jpeg
from auralsam2.data.problems import DataError
from auralsam2.file_kinds import instead

PNG = b"\x89PNG"
ORIENTATION = 0x0112
"""Tag of EXIF."""


def read_image(path: Path) -> NDArray[np.uint8]:
    """Decode a picture to (H, W, 3) RGB, upright where EXIF says how it was held.

    Raises:
        DataError: where it cannot be decoded or ends before its last row.
    """
    import cv2

    picture = decode(path.read_bytes(), path, cv2.IMREAD_COLOR)
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def decode(content: bytes, path: Path, flags: int) -> NDArray[Any]:
    """Decode a whole picture by OpenCV.

    Args:
        content: of the file.
        path: of the file, for messages.
        flags: OpenCV's, which say how many channels and bits come out.

    Raises:
        DataError: where it cannot be decoded or ends before its last row.
    """
    picture = _decoded(content, flags)
    if picture is None:
        reason = instead(content)
        raise DataError(f"cannot decode the image '{path}'{': ' if reason else ''}{reason}")
    if content.startswith(jpeg.START):
        ends_early = jpeg.lacks_data(content, picture, lambda longer: _decoded(longer, flags))
    else:
        ends_early = _png_ends_early(content)
    if ends_early:
        raise DataError(f"cannot decode the image '{path}': the file ends early")
    return picture


def _decoded(content: bytes, flags: int) -> NDArray[Any] | None:
    import cv2

    try:
        return cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error:  # of an empty file
        return None


def _png_ends_early(content: bytes) -> bool:
    """Whether a PNG lacks its end; OpenCV fills the rest with black."""
    return content.startswith(PNG) and b"IEND" not in content


def upright(picture: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn and mirror a picture (H, W, ...) as EXIF's orientation, 1 to 8, asks."""
    if orientation in (5, 6, 7, 8):
        picture = picture.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        picture = picture[::-1]
    if orientation in (2, 3, 6, 7):
        picture = picture[:, ::-1]
    return np.ascontiguousarray(picture)


def orientation_of(content: bytes) -> int:
    """EXIF's orientation of a picture, 1 where it has none."""
    from PIL import Image

    if b"Exif" not in content[: 2**16] and b"eXIf" not in content:
        return 1
    with Image.open(io.BytesIO(content)) as image:
        orientation = image.getexif().get(ORIENTATION, 1)
    return orientation if orientation in range(1, 9) else 1


def image_size(path: Path) -> tuple[int, int]:
    """(H, W) of a picture as it is read, from its header; (0, 0) where it has none."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            turned = image.getexif().get(ORIENTATION, 1) in (5, 6, 7, 8)
            return (image.width, image.height) if turned else (image.height, image.width)
    except (OSError, SyntaxError):  # Pillow calls a broken PNG a SyntaxError
        return 0, 0
