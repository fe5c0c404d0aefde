"""Whether a JPEG is whole: decoders fill what is missing with grey, and libjpeg only warns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

START, END, FIRST_SCAN = b"\xff\xd8", b"\xff\xd9", 0xDA
WITHOUT_LENGTH = (0x01, *range(0xD0, 0xDA))
GREY = 128
"""What libjpeg paints where there are no data."""
MORE_DATA = bytes(range(255))


def lacks_data(
    content: bytes, picture: NDArray[Any], decode: Callable[[bytes], NDArray[Any] | None]
) -> bool:
    """Whether a picture goes on behind the end of its data.

    A corner that is grey may be so by itself. Where data are missing, further ones before the end
    show in the picture; a whole one stays as it is.

    Args:
        content: of the file.
        picture: (H, W, ...) as it was decoded.
        decode: what decoded it.
    """
    end = _end(content)
    if end < 0:
        return True
    corners = picture[[0, 0, -1, -1], [0, -1, 0, -1]].reshape(4, -1)
    if not (corners == GREY).all(axis=1).any():
        return False
    longer = decode(content[:end] + MORE_DATA + content[end:])
    return longer is not None and not np.array_equal(picture, longer)


def _end(content: bytes) -> int:
    """Place of the marker that ends the picture, -1 where there is none.

    A thumbnail in the header has an end of its own, which is not the picture's.
    """
    return content.find(END, _first_scan(content))


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
