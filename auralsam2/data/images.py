"""Pictures, decoded whole or refused, since decoders fill what is missing; and resized."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from auralsam2.data.problems import DataError
from auralsam2.file_kinds import instead
from auralsam2.messages import unknown_values

PNG, PNG_END = b"\x89PNG", b"IEND"
JPEG, JPEG_END, FIRST_SCAN = b"\xff\xd8", b"\xff\xd9", 0xDA
WITHOUT_LENGTH = (0x01, *range(0xD0, 0xDA))
"""Markers of a JPEG."""
GREY = 128
"""What libjpeg paints where there are no data."""
MORE_DATA = bytes(range(255))
ORIENTATION = 0x0112
"""Tag of EXIF."""
FRAME_INTERPOLATIONS = ("bilinear", "bicubic")
LABEL_INTERPOLATIONS = ("nearest", "bilinear")


def read_image(path: Path) -> NDArray[np.uint8]:
    """Decode a picture to (H, W, 3) RGB, upright where EXIF says how it was held.

    Raises:
        DataError: where it cannot be decoded or ends before its last row.
    """
    import cv2

    picture = decode(path.read_bytes(), path, cv2.IMREAD_COLOR)
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def decode(content: bytes, path: Path, flags: int) -> NDArray[Any]:
    """Decode a whole picture by OpenCV, whose ``flags`` say what comes out.

    Raises:
        DataError: where it cannot be decoded or ends before its last row.
    """
    picture = _decoded(content, flags)
    if picture is None:
        reason = instead(content)
        raise DataError(f"cannot decode the image '{path}'{': ' if reason else ''}{reason}")
    if content.startswith(JPEG):
        ends_early = lacks_data(content, picture, flags)
    else:
        ends_early = content.startswith(PNG) and PNG_END not in content
    if ends_early:
        raise DataError(f"cannot decode the image '{path}': the file ends early")
    return picture


def _decoded(content: bytes, flags: int) -> NDArray[Any] | None:
    import cv2

    try:
        return cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error:  # of an empty file
        return None


def lacks_data(content: bytes, picture: NDArray[Any], flags: int) -> bool:
    """Whether a JPEG's picture (H, W, ...), decoded by these flags, goes on behind its data.

    A corner that is grey may be so by itself. Where data are missing, further ones before the end
    show in the picture; a whole one stays as it is.
    """
    # A thumbnail in the header has an end of its own, which is not the picture's.
    end = content.find(JPEG_END, _first_scan(content))
    if end < 0:
        return True
    corners = picture[[0, 0, -1, -1], [0, -1, 0, -1]].reshape(4, -1)
    if not (corners == GREY).all(axis=1).any():
        return False
    longer = _decoded(content[:end] + MORE_DATA + content[end:], flags)
    return longer is not None and not np.array_equal(picture, longer)


def _first_scan(content: bytes) -> int:
    """Place of the first scan's marker; where the header cannot be followed, of its last part."""
    place = 2
    while place + 4 <= len(content) and content[place] == 0xFF:
        marker = content[place + 1]
        if marker == FIRST_SCAN:
            return place
        if marker == 0xFF:  # padding
            place += 1
        elif marker in WITHOUT_LENGTH:
            place += 2
        else:
            place += 2 + int.from_bytes(content[place + 2 : place + 4], "big")
    return min(place, len(content))


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


def stack(images: Sequence[NDArray[np.uint8]], what: str) -> NDArray[np.uint8]:
    """T pictures of equal size -> (T, ...).

    Raises:
        DataError: saying of ``what`` that the sizes differ.
    """
    shapes = {image.shape for image in images}
    if len(shapes) > 1:
        raise DataError(f"{what} differ in size: {sorted(shapes)}")
    return np.stack(images)


def nearest(level: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """A picture of another (H, W), each pixel the nearest one."""
    import mmcv

    return np.asarray(mmcv.imresize(level, size[::-1], interpolation="nearest"), dtype=np.uint8)


class Resizing(NamedTuple):
    """Resizes to a square; the aspect ratio is not kept, as in SAM2."""

    size: int  # S, side in pixels
    frames: str = "bilinear"  # ``bilinear`` or ``bicubic``
    # ``nearest``, or ``bilinear``, after which every level above 0 counts as object: an object then
    # grows by up to half a pixel of its picture on every side.
    labels: str = "nearest"

    def problems(self) -> list[str]:
        """What is wrong with the settings."""
        return unknown_values(
            frame_interpolation=(self.frames, FRAME_INTERPOLATIONS),
            mask_interpolation=(self.labels, LABEL_INTERPOLATIONS),
        )

    def resize_frames(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
        """T pictures (H, W, 3) -> (T, 3, S, S)."""
        import cv2

        planes = np.empty((len(images), 3, self.size, self.size), np.uint8)
        for image, channels in zip(images, planes, strict=True):
            cv2.split(self._resized(image), list(channels))  # ten times as fast as a transposition
        return planes

    def _resized(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        import mmcv

        size = (self.size, self.size)
        if self.frames == "bicubic":
            # Pillow's kernel has a = -0.5, as torchvision's; OpenCV's has a = -0.75. mmcv does not
            # hand Pillow's out.
            from PIL import Image

            resized = Image.fromarray(image).resize(size, Image.Resampling.BICUBIC)
            return np.asarray(resized, dtype=np.uint8)
        return np.asarray(mmcv.imresize(image, size, interpolation="bilinear"), dtype=np.uint8)

    def resize_labels(self, levels: Iterable[NDArray[np.uint8]]) -> NDArray[np.uint8]:
        """T labels (H, W) -> (T, S, S)."""
        import mmcv

        size = (self.size, self.size)
        return np.stack([mmcv.imresize(m, size, interpolation=self.labels) for m in levels])
