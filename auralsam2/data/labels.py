"""Label pictures of any kind, decoded to colours, to levels and to masks."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auralsam2.data.images import PNG, decode, orientation_of, upright
from auralsam2.data.problems import DataError

WHITE = 255
"""Level of pure white, and of every object under the published label rule."""
PALETTE = b"\x03"
"""Type of a PNG whose pixels are numbers of colours."""
SCALE_16 = 257
"""Between a level of 8 bits and the same of 16."""


def read_colours(path: Path) -> NDArray[np.uint8]:
    """Decode a label picture to (H, W, 3) RGB: the one way in which labels are read.

    Pictures of grey levels, palettes, one, two, four, eight and 16 bits come out in the colours
    that they show, upright. Numbers of 16 bits are those of 8 bits, as they are or times 257. What
    is transparent is background: colours are laid on black by their opacity.

    Raises:
        DataError: where the picture cannot be decoded or is damaged, has numbers of 16 bits that
            8 bits do not hold, or a shape that only its opacity, transparent colours or the numbers
            of a black palette have.
    """
    import cv2

    content = path.read_bytes()
    picture = decode(content, path, cv2.IMREAD_UNCHANGED)
    if _hides_opacity(content):
        picture = _by_pillow(content)
    _refuse_black_palette(picture, content, path)
    picture = upright(_in_8_bits(picture, path), orientation_of(content))
    if picture.ndim == 2:
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB), dtype=np.uint8)
    if picture.shape[2] == 4:
        picture = _on_black(picture, path)
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def _hides_opacity(content: bytes) -> bool:
    """Whether a PNG of 8 bits or less has one transparent level, which OpenCV leaves out."""
    few_bits = content[24:25] <= b"\x08"
    return content.startswith(PNG) and few_bits and b"tRNS" in content[: content.find(b"IDAT")]


def _by_pillow(content: bytes) -> NDArray[np.uint8]:
    """(H, W, 4) BGRA."""
    from PIL import Image

    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGBA"), dtype=np.uint8)[..., [2, 1, 0, 3]]


def _refuse_black_palette(picture: NDArray[Any], content: bytes, path: Path) -> None:
    from PIL import Image

    if picture.any() or content[25:26] != PALETTE or not content.startswith(PNG):
        return
    with Image.open(io.BytesIO(content)) as image:
        if np.ptp(np.asarray(image)):
            raise DataError(
                f"'{path}' shows nothing but has a shape in the numbers of its palette, whose "
                "colours are all black: give the palette colours"
            )


def _in_8_bits(picture: NDArray[Any], path: Path) -> NDArray[np.uint8]:
    if picture.dtype == np.uint8:
        return picture
    if picture.dtype != np.uint16:
        raise DataError(f"'{path}' holds numbers of type {picture.dtype}; a label has 8 or 16 bits")
    colours = picture if picture.ndim == 2 else picture[..., :3]
    opacity = [] if picture.ndim == 2 else [picture[..., 3:] // SCALE_16]
    if not (colours % SCALE_16).any():
        colours = colours // SCALE_16
    elif colours.max() > WHITE:
        odd = np.unique(colours[colours % SCALE_16 > 0])[:3].tolist()
        raise DataError(
            f"'{path}' has 16 bits and numbers such as {', '.join(map(str, odd))}, which are "
            "neither 0 to 255 nor those times 257: write it with 8 bits"
        )
    if opacity:
        colours = np.concatenate([colours, *opacity], axis=2)
    return colours.astype(np.uint8)


def _on_black(picture: NDArray[np.uint8], path: Path) -> NDArray[np.uint8]:
    """BGRA -> BGR, by opacity."""
    colours, opacity = picture[..., :3], picture[..., 3:]
    if (opacity == WHITE).all():
        return colours
    shown = ((colours.astype(np.uint16) * opacity + WHITE // 2) // WHITE).astype(np.uint8)
    if not shown.any() and (np.ptp(opacity) or np.ptp(colours, axis=(0, 1)).any()):
        raise DataError(
            f"'{path}' shows nothing but has a shape in what is transparent: write the mask in "
            "colours, without an alpha channel"
        )
    return shown


def _any_channel(path: Path) -> NDArray[np.uint8]:
    """White where any channel is above 0, so that a dark colour counts too."""
    red, green, blue = np.moveaxis(read_colours(path), 2, 0)  # a maximum over axis 2 is slow
    return ((red | green | blue) > 0).astype(np.uint8) * np.uint8(WHITE)


def _luminance(path: Path) -> NDArray[np.uint8]:
    """Luminance of ITU-R 601, rounded: the darkest colours (blue up to 4) are background."""
    from PIL import Image

    return np.array(Image.fromarray(read_colours(path)).convert("L"))


LABEL_RULES: dict[str, Callable[[Path], NDArray[np.uint8]]] = {
    "published": _any_channel,
    "released": _luminance,
}
"""Name -> reader of a label picture to levels (H, W), 0 on the background."""


def objects(levels: NDArray[np.uint8], keep_white: bool = False) -> NDArray[np.uint8]:
    """Levels of a label -> 1 on objects, 0 elsewhere; where white is kept, 255 stays 255."""
    masks = (levels > 0).astype(np.uint8)
    if keep_white:
        masks[levels == WHITE] = WHITE
    return masks
