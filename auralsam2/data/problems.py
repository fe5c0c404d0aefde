"""What is wrong with a data set on disk, told all at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from auralsam2.messages import listed, warn_once

SHOWN = 5
TOLERATED = ("frame_count",)
"""Kinds of fault with which readers go on: it is clear what belongs together all the same."""


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
    if problems:
        raise DataError(listed(problems, where, SHOWN))


def settle(faults: Iterable[Fault], where: str, problems: Iterable[str] = ()) -> None:
    """Raise where there are faults or problems; those of ``TOLERATED`` kinds are a warning.

    Args:
        faults: each is told once, however many clips or expressions share it.
        where: the data set and its part.
        problems: further ones, one sentence each.

    Raises:
        DataError: listing the first few.
    """
    told, refused = dict[str, None](), dict.fromkeys(problems)
    for fault in faults:
        (told if fault.kind in TOLERATED else refused)[str(fault)] = None
    refuse(list(refused), where)
    if told:
        warn_once(__name__, listed(list(told), where, SHOWN))
