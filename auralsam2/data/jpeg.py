"""Whether a JPEG is whole. Decoders fill what is missing with grey, and libjpeg only warns."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

START, END, FIRST_SCAN = b"\xff\xd8", b"\xff\xd9", 0xDA
WITHOUT_LENGTH = (0x01, *range(0xD0, 0xDA))
HARMLESS_BYTES = 64
"""Stuffed between the pictures' data and its end by some cameras."""
_DAMAGE = re.compile(
    rb"(Premature end of JPEG file|Corrupt JPEG data: (?:premature end|bad Huffman|found marker)"
    rb"[^\n]*|Corrupt JPEG data: (\d+) extraneous bytes[^\n]*)"
)
_ONE_AT_A_TIME = threading.Lock()


def ends_early(content: bytes) -> bool:
    """Whether a JPEG has no end after the beginning of its picture.

    A thumbnail in the header has an end of its own, which is not the picture's.
    """
    return content.find(END, _first_scan(content)) < 0


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


class Damage:
    """What libjpeg said while a picture was decoded.

    Attributes:
        text: its warning, empty where there was none.
    """

    text: str = ""


@contextmanager
def heard_damage() -> Iterator[Damage]:
    """Listen to standard error, where libjpeg tells what OpenCV does not hand on.

    Other output is written on afterwards. Where standard error is closed, nothing is heard.
    """
    damage = Damage()
    with _ONE_AT_A_TIME:
        try:
            kept = os.dup(2)
        except OSError:
            yield damage
            return
        heard, spoken = os.pipe()
        for end in (heard, spoken):
            os.set_blocking(end, False)
        os.dup2(spoken, 2)
        try:
            yield damage
        finally:
            os.dup2(kept, 2)
            for end in (kept, spoken):
                os.close(end)
            damage.text = _sort_out(_rest(heard))
            os.close(heard)


def _rest(heard: int) -> bytes:
    try:
        return os.read(heard, 2**16)
    except BlockingIOError:
        return b""


def _sort_out(said: bytes) -> str:
    """The first warning that tells of damage; everything that is no warning is passed on."""
    found = _DAMAGE.search(said)
    others = b"".join(line for line in said.splitlines(keepends=True) if b"JPEG" not in line)
    if others:
        os.write(2, others)
    if not found or int(found[2] or HARMLESS_BYTES + 1) <= HARMLESS_BYTES:
        return ""
    return found[1].decode()
