"""Names of cells, parameters and choices that fit where there is little room."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence

# Behind a sign, and before a word's capital: TwoWay|CrossAttention|Fusion.
_BREAKS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[+,/_=-])")


def pieces(word: str, width: int, room: Callable[[str], int]) -> list[str]:
    """Return the parts that a word may be broken into, of at most ``width`` or a single letter.

    ``room`` returns how many characters a text is wide.
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


def short_names(paths: Iterable[str]) -> dict[str, str]:
    """Return the last two keys of each dotted path below its section, more where names meet.

    ``optim.optimizer.lr`` is ``optimizer.lr``, ``model.fusion`` is ``fusion``.
    """
    listed = list(paths)
    names: dict[str, str] = {}
    for path in listed:
        for count in (2, 3, 4, 99):
            names[path] = _ending(path, count)
            if [_ending(other, count) for other in listed].count(names[path]) == 1:
                break
    return names


def short_choices(choices: Sequence[str]) -> list[str]:
    """Return choices without the word that all end in: ``GatedSumFusion`` -> ``GatedSum``."""
    ending = os.path.commonprefix([choice[::-1] for choice in choices])[::-1]
    word = re.search(r"[A-Z][a-z]+$", ending)
    if word is None or len(choices) < 2 or any(choice == word[0] for choice in choices):
        return list(choices)
    return [choice.removesuffix(word[0]) for choice in choices]


def _ending(path: str, count: int) -> str:
    section, _, below = path.partition(".")
    return ".".join((below or section).split(".")[-count:])
