"""What a recipe is made of: parts, each of which makes some files of one grid or sweep."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import ClassVar

from analysis.paper.source import GRID, Source
from auralsam2.builder import Registry

PARTS = Registry(
    "paper part",
    contract="build(); make(source: Source, out: Path) -> Made with the paths of the files it "
    "wrote below out; command(source, out) -> the command that makes them alone",
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
    """

    paths: Sequence[Path]
    notes: Sequence[str] = field(default_factory=tuple)


class Part(ABC):
    """Tables, figures or pages of one grid or sweep.

    Args:
        sources: names of the grids or sweeps it is made of, as shell patterns, e.g. ``"fusion*"``;
            one or several.
        folder: below the source's own folder of the paper; None for what is usual.
    """

    reads: ClassVar[str] = GRID
    usual_folder: ClassVar[str] = "figures"

    def __init__(self, sources: str | Sequence[str] = "*", folder: str | None = None) -> None:
        self.patterns = (sources,) if isinstance(sources, str) else tuple(sources)
        self.folder = self.usual_folder if folder is None else folder

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
    def command(self, source: Source, out: Path) -> str:
        """Return the command that makes the same files without a recipe."""

    def inputs(self, source: Source, out: Path) -> list[Path]:
        """Return files beside the runs that what is made depends on."""
        return []
