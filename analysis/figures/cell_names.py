"""Names of cells in the room that a figure has for them."""

from __future__ import annotations

import re
from collections.abc import Callable

# Behind a sign, and before a word's capital: TwoWay|CrossAttention|Fusion.
_BREAKS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[+,/_=-])")


def wrap_name(name: str, width: int) -> str:
    """Break a name into lines of at most ``width`` characters, as wide as figures show them.

    Lines break at spaces; words that are longer than a line break where a capital begins or behind
    a sign, and only what is longer still between two letters.
    """
    from analysis.figures.figure_text import room

    lines = [""]
    for word in name.split():
        glue = " " if lines[-1] else ""
        if room(lines[-1] + glue + word) <= width:
            lines[-1] += glue + word
            continue
        for piece in pieces(word, width, room):
            if room(lines[-1] + glue + piece) <= width:
                lines[-1] += glue + piece
            else:
                lines.append(piece)
            glue = ""
    return "\n".join(line for line in lines if line)


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
