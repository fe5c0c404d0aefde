"""Names as text in figures: nothing in them is maths, none is hidden, none is a box."""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path

import matplotlib
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from analysis.runs.cell_names import pieces

_GUARD = "\u2060"
"""Takes no room; stands before what matplotlib would hide, and is taken off by `settle`."""
_WIDEST_FACE = "DejaVu Sans"
"""Of those that matplotlib brings, the one with most letters."""
# Control, surrogate, private and unassigned code points mean something else in every font, if
# anything.
_WITHOUT_GLYPH = frozenset({"Cc", "Cs", "Co", "Cn"})


def code_point(letter: str) -> str:
    """Return what stands for a letter that cannot be shown: ``[U+65E5]``."""
    return f"[U+{ord(letter):04X}]"


def legend_name(name: str) -> str:
    """Return a label that legends show: matplotlib hides those that begin with ``_``."""
    return f"{_GUARD}{name}" if name.startswith("_") or not name else name


def beside_maths(text: str) -> str:
    """Return a text for a label that is parsed as maths: its dollars stand for themselves."""
    return text.replace("$", r"\$")


def room(text: str) -> int:
    """Return about how many Latin letters are as wide as a text that `settle` has changed."""
    return sum(map(_room, text))


def wrap_name(name: str, width: int) -> str:
    """Break a name into lines of at most ``width`` characters, as wide as figures show them.

    Lines break at spaces; words that are longer than a line break where a capital begins or behind
    a sign, and only what is longer still between two letters.
    """
    lines = [""]
    for word in name.split():
        glue = " " if lines[-1] else ""
        whole = room(lines[-1] + glue + word) <= width
        for piece in [word] if whole else pieces(word, width, room):
            if room(lines[-1] + glue + piece) <= width:
                lines[-1] += glue + piece
            else:
                lines.append(piece)
            glue = ""
    return "\n".join(line for line in lines if line)


def settle(figure: Figure) -> list[str]:
    """Let every text of a figure show all its letters; call it when all texts are there.

    Returns:
        The letters that no face has; they stand there as their code points.
    """
    missing: dict[str, None] = {}
    for panel in figure.findobj(Axes):
        assert isinstance(panel, Axes)
        for axis in (panel.xaxis, panel.yaxis):
            labels = axis.get_ticklabels()
            names = [label.get_text() for label in labels]
            for label in labels:
                missing |= dict.fromkeys(settle_text(label))
            settled = [label.get_text() for label in labels]
            if settled != names:
                # Ticks take their texts from a list that stands in the axis, not in them.
                axis.set_ticks(list(axis.get_ticklocs()), settled)
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        missing |= dict.fromkeys(settle_text(text))
    return list(missing)


def settle_text(text: Text, *, own_faces: bool = True) -> list[str]:
    """Let one text show all its letters.

    Letters that its face lacks are taken from other faces that are installed, unless a browser
    draws them with faces of its own (``own_faces`` is False); those that none has, and control
    characters, are written as their code points.

    Returns:
        The letters that no face has.
    """
    shown = "".join(map(_letter, text.get_text().removeprefix(_GUARD)))
    missing: list[str] = []
    if own_faces and not shown.isascii():
        missing = _fall_back(text, shown)
        for letter in missing:
            shown = shown.replace(letter, code_point(letter))
    text.set_text(shown)
    return missing


def _letter(letter: str) -> str:
    if letter == "\n" or letter.isprintable():
        return letter
    if letter in "\t\r":
        return " "
    return code_point(letter) if unicodedata.category(letter) in _WITHOUT_GLYPH else letter


def _room(letter: str) -> int:
    shown = _letter(letter)
    if shown.isascii():
        return len(shown)
    own = _letters(font_manager.findfont(font_manager.FontProperties()))
    if ord(letter) not in own and family_with(letter) is None:
        return len(code_point(letter))
    wide = unicodedata.east_asian_width(letter) in "WF"
    return 0 if unicodedata.combining(letter) else 1 + wide


def _fall_back(text: Text, shown: str) -> list[str]:
    """Add the faces that a text needs to its own; return the letters that none has."""
    font = text.get_fontproperties()
    own = _letters(font_manager.findfont(font))
    families = list(font.get_family())
    missing = []
    for letter in dict.fromkeys(shown):
        if letter == "\n" or ord(letter) in own:
            continue
        family = family_with(letter)
        if family is None:
            missing.append(letter)
        elif family not in families:
            families.append(family)
    text.set_fontfamily(families)
    return missing


@cache
def family_with(letter: str) -> str | None:
    """Return an installed face that has a letter."""
    for family, path in _other_faces().items():
        if ord(letter) in _letters(path):
            return family
    return None


@cache
def _other_faces() -> dict[str, str]:
    """Return family -> file of the faces to fall back on.

    Most of what matplotlib brings are pieces of formulae, whose code points are their own.
    """
    brought = Path(matplotlib.get_data_path())
    faces: dict[str, str] = {_WIDEST_FACE: font_manager.findfont(_WIDEST_FACE)}
    for entry in sorted(font_manager.fontManager.ttflist, key=lambda entry: entry.name):
        usual = entry.style == "normal" and str(entry.weight) in ("400", "normal")
        if usual and brought not in Path(entry.fname).parents:
            faces.setdefault(entry.name, str(entry.fname))
    return faces


@cache
def _letters(path: str) -> frozenset[int]:
    """Return the code points of a face; none where it consists of pictures or cannot be read."""
    try:
        face = font_manager.get_font(path)
    except (OSError, RuntimeError):
        return frozenset()
    return frozenset(face.get_charmap()) if face.scalable else frozenset()
