"""What a recipe is made of: parts, each of which makes some files of one grid or sweep."""

from __future__ import annotations

import shlex
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import ClassVar

from analysis.paper.source import GRID, Source
from auralsam2.builder import Registry

PARTS = Registry(
    "paper part",
    contract="build(); make(source: Source, out: Path) -> Made with the paths of the files it "
    "wrote below out; arguments(source, out) -> those of the command that makes them",
    locations=["analysis.paper.parts"],
    base="analysis.paper.part:Part",
)


class NothingToShow(Exception):
    """A part that a source has no numbers for, and why."""


@dataclass(frozen=True)
class Made:
    """What a part has made.

    Attributes:
        paths: of the files.
        notes: what a reader must know.
        lost: what is missing from the files, since weights or data were; it is tried again next
            time.
    """

    paths: Sequence[Path]
    notes: Sequence[str] = field(default_factory=tuple)
    lost: Sequence[str] = field(default_factory=tuple)


def names_of(key: str, names: Sequence[str] | None) -> tuple[str, ...] | None:
    """Return a list of names, None as it is.

    Raises:
        ValueError: for a text, whose letters would be taken for names.
    """
    if isinstance(names, str):
        raise ValueError(f"{key}: wanted a list of names, got {names!r}; write [{names!r}]")
    return None if names is None else tuple(names)


class Part(ABC):
    """Tables, figures or pages of one grid or sweep.

    Args:
        sources: names of the grids or sweeps it is made of, as shell patterns, e.g. ``"fusion*"``;
            one or several.
        folder: below the source's own folder of the paper; None for what is usual.

    Raises:
        ValueError: for a folder that is not below it.
    """

    reads: ClassVar[str] = GRID
    reads_data: ClassVar[bool] = False
    usual_folder: ClassVar[str] = "figures"

    def __init__(self, sources: str | Sequence[str] = "*", folder: str | None = None) -> None:
        self.patterns = (sources,) if isinstance(sources, str) else tuple(sources)
        self.folder = self.usual_folder if folder is None else folder
        if Path(self.folder).is_absolute() or ".." in Path(self.folder).parts:
            raise ValueError(f"folder must lie below that of the source, got {self.folder!r}")

    def wants(self, source: Source) -> bool:
        """Return whether it is to be made of a source."""
        named = any(fnmatchcase(source.name, pattern) for pattern in self.patterns)
        return source.kind == self.reads and named

    @abstractmethod
    def make(self, source: Source, out: Path) -> Made:
        """Write the files.

        Args:
            source: a grid or sweep.
            out: their folder.

        Raises:
            NothingToShow: where the source has no such numbers.
            ValueError: where they cannot be made.
        """

    @abstractmethod
    def arguments(self, source: Source, out: Path) -> list[str]:
        """Return subcommand and arguments that make the same files, and maybe others, in ``out``.

        Overrides of the source are added to them where `reads_data`.
        """

    def command(self, source: Source, out: Path) -> str:
        """Return the command that makes the same files without a recipe."""
        said = ["auralsam2", *self.arguments(source, out)]
        if self.reads_data and source.overrides:
            said += ["--set", *(f"{key}={value}" for key, value in source.overrides.items())]
        return shlex.join(said)

    def measurements(self, source: Source) -> list[Callable[[], object]]:
        """Return what takes long and is kept in the run folders, where `make` finds it.

        They are independent of each other, can be pickled, and may run in other processes; one that
        fails is `make`'s to tell.
        """
        return []

    def inputs(self, source: Source, out: Path) -> list[Path]:
        """Return files beside the runs that what is made depends on."""
        return []
