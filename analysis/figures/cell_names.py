"""Names of cells in the room that a figure has for them."""

from __future__ import annotations

import re

# Behind a sign, and before a word's capital: TwoWay|CrossAttention|Fusion.
_BREAKS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[+,/_=-])")


def wrap_name(name: str, width: int) -> str:
    """Break a name into lines of at most ``width`` characters.

    Lines break at spaces; words that are longer than a line break where a capital begins or behind
    a sign, and only what is longer still between two letters.
    """
    lines = [""]
    for word in name.split():
        glue = " " if lines[-1] else ""
        if len(lines[-1]) + len(glue) + len(word) <= width:
            lines[-1] += glue + word
            continue
        for piece in pieces(word, width):
            if len(lines[-1]) + len(glue) + len(piece) <= width:
                lines[-1] += glue + piece
            else:
                lines.append(piece)
            glue = ""
    return "\n".join(line for line in lines if line)


def pieces(word: str, width: int) -> list[str]:
    """Return the parts of at most ``width`` characters that a long word may be broken into."""
    if len(word) <= width:
        return [word]
    parts = _BREAKS.split(word)
    return [p[i : i + width] for p in parts for i in range(0, len(p), width)]
