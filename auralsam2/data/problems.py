"""What is wrong with a data set on disk, told all at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

SHOWN = 5


class DataError(ValueError):
    """A data set cannot be read; lists all problems at once."""


class Fault(NamedTuple):
    """Something that is wrong on disk, as readers refuse it and checks report it.

    Attributes:
        kind: a key of ``auralsam2.data.checking.findings.KINDS``.
        place: the file or folder.
        detail: what is the matter there.
    """

    kind: str
    place: Path
    detail: str

    def __str__(self) -> str:
        return f"'{self.place}': {self.detail}"


def refuse(problems: Sequence[str], where: str) -> None:
    """Raise where there are problems.

    Args:
        problems: one sentence each; the first few are shown, the rest is counted.
        where: the data set and its part.

    Raises:
        DataError: where ``problems`` is not empty.
    """
    if not problems:
        return
    shown = "\n".join(f"  - {p}" for p in problems[:SHOWN])
    more = f"\n  ... and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
    raise DataError(f"{len(problems)} problem(s) in {where}:\n{shown}{more}")


def told_once(faults: Iterable[Fault]) -> list[str]:
    """Faults as sentences, each once, however many clips or expressions share it."""
    return list(dict.fromkeys(map(str, faults)))
