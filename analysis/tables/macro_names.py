"""Names of TeX macros, which may have letters alone, from names of cells, splits and metrics."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from analysis.tables.latex_text import GREEK

PREFIX = "aural"
"""Before every name, so that no package's macro is meant."""

_DIGITS = dict(
    zip(
        "0123456789",
        ("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine"),
        strict=True,
    )
)
_MINUS = re.compile(r"(?<![^\W_])[-−](?=\d)|(?<=\de)[-−](?=\d)")
_POINT = re.compile(r"(?<=\d)\.(?=\d)")


def is_macro_name(text: str) -> bool:
    """Return whether TeX takes it as a name."""
    return text.isascii() and text.isalpha()


def macro_name(*texts: str) -> str:
    """Return texts as one name: ``J``, ``sparse+dense`` -> ``JSparseDense``.

    Every word begins with a capital. Digits are spelled, as are a point between them, a minus
    before them and Greek letters; other letters that TeX does not take are spelled as their code
    points. What stands between words is left out, so that two texts may have one name.
    """
    return "".join(map(_spelled, texts))


def collisions(names: Iterable[tuple[str, str]]) -> list[str]:
    """Return a problem for every name that stands for several things, of (name, thing)."""
    meant: dict[str, list[str]] = {}
    for name, what in names:
        meant.setdefault(name, []).append(what)
    return [
        f"\\{name} would stand for {' and for '.join(whats)}: give one of the cells another name "
        r"(cell_names), or the number"
        for name, whats in meant.items()
        if len(whats) > 1
    ]


def _spelled(text: str) -> str:
    text = _POINT.sub(" Point ", _MINUS.sub(" Minus ", text))
    return "".join(map(_word, re.findall(r"[^\W_]+", text)))


def _word(word: str) -> str:
    spelled = "".join(map(_letter, unicodedata.normalize("NFKD", word)))
    return spelled[:1].upper() + spelled[1:]


def _letter(letter: str) -> str:
    if letter in _DIGITS:
        return _DIGITS[letter]
    if letter in GREEK:
        return GREEK[letter].capitalize()
    if letter.isascii():
        return letter
    if unicodedata.combining(letter):
        return ""
    return "U" + "".join(_DIGITS.get(digit, digit) for digit in f"{ord(letter):X}")
