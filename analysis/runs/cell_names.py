"""Where the name of a cell may be broken."""

from __future__ import annotations

import re
from collections.abc import Callable

# Behind a sign, and before a word's capital: TwoWay|CrossAttention|Fusion.
_BREAKS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[+,/_=-])")


def pieces(word: str, width: int, room: Callable[[str], int]) -> list[str]:
    """Return the parts that a long word may be broken into.

    Args:
        word: to break.
        width: the most room of a part of more than one letter.
        room: that a text takes, in characters.
    """
    if room(word) <= width:
        return [word]
    found = []
    for part in _BREAKS.split(word):
        line = ""
        for letter in part:
            if line and room(line + letter) > width:
                found.append(line)
                line = ""
            line += letter
        found += [line] if line else []
    return found
