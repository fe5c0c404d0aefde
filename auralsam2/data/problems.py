"""What is wrong with a data set on disk, told all at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from auralsam2.messages import listed, warn_once

SHOWN = 5
TOLERATED = ("frame_count", "unknown_split")
"""Kinds of finding with which readers go on: it is clear what belongs together all the same."""


class DataError(ValueError):
    """A data set cannot be read; lists all problems at once."""


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Let what is wrong with a file be a `DataError` that names it."""
    try:
        yield
    except ValueError as error:
        raise DataError(str(error) if str(path) in str(error) else f"'{path}': {error}") from error


class Finding(NamedTuple):
    """One thing that is wrong at one place, as readers refuse it and checks report it."""

    kind: str  # a key of ``auralsam2.data.checking.findings.KINDS``
    where: Path | str  # the file or folder, or the name of a clip, a row or a split
    detail: str = ""  # what is the matter there

    def __str__(self) -> str:
        place = f"'{self.where}'" if isinstance(self.where, Path) else self.where
        return f"{place}: {self.detail}" if self.detail else place

    def below(self, root: Path) -> Finding:
        """The same, its file or folder as a report calls it: from the root on."""
        if isinstance(self.where, str):
            return self
        return self._replace(where=self.where.relative_to(root).as_posix())


def refuse(problems: Iterable[str], where: str) -> None:
    """Raise a :class:`DataError` of problems in a data set, where there are any."""
    if every := list(problems):
        raise DataError(listed(every, where, SHOWN))


def settle(findings: Iterable[Finding], where: str) -> None:
    """Raise where there are findings; those of ``TOLERATED`` kinds are a warning.

    Each is told once, however many clips or expressions share it.

    Raises:
        DataError: listing the first few.
    """
    told, refused = dict[str, None](), dict[str, None]()
    for finding in findings:
        (told if finding.kind in TOLERATED else refused)[str(finding)] = None
    refuse(refused, where)
    if told:
        warn_once(__name__, listed(list(told), where, SHOWN))
