"""Names of cells in the room that a figure has for them."""

from __future__ import annotations

from analysis.runs.cell_names import pieces


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
