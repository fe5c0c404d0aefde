"""Names of parameters and choices that fit beside an axis."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence


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
    """Return choices without the word that all of them end in, ``GatedSumFusion`` -> ``GatedSum``.

    Args:
        choices: names as they stand in the storage.
    """
    ending = os.path.commonprefix([choice[::-1] for choice in choices])[::-1]
    word = re.search(r"[A-Z][a-z]+$", ending)
    if word is None or len(choices) < 2 or any(choice == word[0] for choice in choices):
        return list(choices)
    return [choice.removesuffix(word[0]) for choice in choices]


def _ending(path: str, count: int) -> str:
    section, _, below = path.partition(".")
    return ".".join((below or section).split(".")[-count:])
