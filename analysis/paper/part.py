"""Parts of a paper, and the recipes that list them: config files that say what a paper has."""

from __future__ import annotations

import shlex
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, ClassVar

from analysis.paper.source import GRID, Source
from analysis.runs.results import Results
from analysis.statistics.significance import reference_problem
from auralsam2 import config
from auralsam2.builder import ComponentArgumentError, Registry, UnknownComponentError
from auralsam2.custom_imports import CUSTOM_KEY, import_custom
from auralsam2.messages import unknown_name

PARTS = Registry(
    "paper part",
    contract="build(); make(source: Source, out: Path) -> Made with the paths of the files it "
    "wrote below out; arguments(source, out) -> those of the command that makes them",
    locations=["analysis.paper.parts.*"],
    base="analysis.paper.part:Part",
)
_FOLDER, _DEFAULT = "figures", "paper"
_FLAG = "flag"
_KEYS = ("parts", "title", CUSTOM_KEY)


class NothingToShow(Exception):
    """A part that a source has no numbers for, and why."""


@dataclass(frozen=True)
class Made:
    """What a part has made."""

    paths: Sequence[Path]  # of the files
    notes: Sequence[str] = field(default_factory=tuple)  # what a reader must know
    # What is missing from the files, since weights or data were; it is tried again next time
    lost: Sequence[str] = field(default_factory=tuple)


def told(flag: str, default: Any) -> Any:
    """Return the field of an argument that the part's tool takes as an option."""
    return field(default=default, metadata={_FLAG: flag})


@dataclass(kw_only=True)
class Part(ABC):
    """Tables, figures or pages of one grid or sweep; its fields are its arguments in a recipe.

    Raises:
        ValueError: for a folder that is not below it, or a text where names belong.
    """

    reads: ClassVar[str] = GRID
    reads_data: ClassVar[bool] = False
    usual_folder: ClassVar[str] = "figures"
    names: ClassVar[tuple[str, ...]] = ()
    """Arguments that are lists of names."""
    tool: ClassVar[str]
    """The command that makes the same files."""

    # Names of the grids or sweeps it is made of, as shell patterns, e.g. "fusion*"; one or several
    sources: str | Sequence[str] = "*"
    folder: str | None = None  # below the source's own folder of the paper; None for what is usual
    beside: Path | None = field(default=None, init=False, repr=False)  # folder of its recipe
    # That states it, as make-paper is told; `load_recipe` enters it
    recipe: str = field(default=_DEFAULT, init=False, repr=False)

    def __post_init__(self) -> None:
        for key in self.names:
            if isinstance(got := getattr(self, key), str):  # whose letters would be the names
                raise ValueError(f"{key}: wanted a list of names, got {got!r}; write [{got!r}]")
        below = Path(self.usual_folder if self.folder is None else self.folder)
        if below.is_absolute() or ".." in below.parts:
            raise ValueError(f"folder must lie below that of the source, got {self.folder!r}")
        self.folder = str(below)

    @property
    def patterns(self) -> tuple[str, ...]:
        """Patterns of the sources' names."""
        return (self.sources,) if isinstance(self.sources, str) else tuple(self.sources)

    def wants(self, source: Source) -> bool:
        """Return whether it is to be made of a source."""
        named = any(fnmatchcase(source.name, pattern) for pattern in self.patterns)
        return source.kind == self.reads and named

    def place(self, source: Source, out: Path) -> Path:
        """Return the folder of its files in a paper's folder."""
        return out / source.name / str(self.folder)

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

    def arguments(self, source: Source, out: Path) -> list[str]:
        """Return subcommand and arguments that make the same files, and maybe others, in ``out``.

        Overrides of the source are added to them where `reads_data`.
        """
        said = [self.tool, str(source.path), "--out", str(out)]
        for one in fields(self):
            if _FLAG in one.metadata:
                said += option(one.metadata[_FLAG], getattr(self, one.name))
        return said

    def command(self, source: Source, out: Path) -> str:
        """Return the command that makes the same files without a recipe."""
        said = ["auralsam2", *self.arguments(source, out)]
        if self.reads_data and source.overrides:
            said += ["--set", *(f"{key}={value}" for key, value in source.overrides.items())]
        return shlex.join(said)

    def inputs(self, source: Source, out: Path) -> list[Path]:
        """Return files beside the runs that what is made depends on."""
        return []


def compared(source: Source, reference: str | None) -> Results:
    """Return a grid's results that have a cell to be compared with.

    Args:
        source: the grid.
        reference: another cell than its own.

    Raises:
        NothingToShow: where there is none, or it has no finished run.
    """
    results = source.against(reference)
    if (problem := reference_problem(results)) is not None:
        raise NothingToShow(problem)
    return results


def made(source: Source, results: Results, paths: Sequence[Path], nothing: str = "") -> Made:
    """Return what a part has made of a grid's results, which have noted what a reader must know.

    Raises:
        NothingToShow: where there is no file: the notes say why, or else ``nothing`` does.
    """
    notes = results.notes[len(source.results.notes) :]
    if not paths:
        raise NothingToShow("; ".join(notes) or nothing)
    return Made(paths, notes, results.lost)


def option(flag: str, value: object) -> list[str]:
    """Return an option of a command; nothing where the value is None, false or empty."""
    if value is True:
        return [flag]
    if isinstance(value, (list, tuple)):
        return [flag, *map(str, value)] if value else []
    return [] if value is None or value is False else [flag, str(value)]


@dataclass(frozen=True)
class Recipe:
    """What a paper is made of."""

    name: str  # of the file, without .py
    title: str  # for people
    # Node -> part, in the order in which they are made
    parts: tuple[tuple[dict[str, Any], Part], ...]
    path: Path  # of the file


def load_recipe(name_or_path: str = _DEFAULT) -> Recipe:
    """Read a recipe.

    A recipe is an mmengine config with ``parts``, a list of nodes ``dict(type="GridPoints",
    sources="*", ...)``; ``title``; and ``custom_imports`` for parts of one's own.

    Args:
        name_or_path: a shipped recipe, e.g. ``paper``, or the path of a ``.py`` file.

    Raises:
        FileNotFoundError: if there is no such recipe; the message lists the known ones.
        ConfigError: with all problems at once.
    """
    path = config.find(name_or_path, folder=_FOLDER)
    cfg = config.peek(str(path))
    problems = import_custom(cfg, path.parent)
    problems += [unknown_name("key", key, _KEYS) for key in cfg if key not in _KEYS]
    nodes = cfg.to_dict().get("parts")
    if not isinstance(nodes, (list, tuple)) or not nodes:
        problems.append("parts: wanted a list of nodes, e.g. [dict(type='ScoreTable')]")
        nodes = []
    parts = []
    for index, node in enumerate(nodes):
        try:
            part = PARTS.build(node)
            part.beside = path.parent
            part.recipe = name_or_path
            parts.append((node, part))
        except (UnknownComponentError, ComponentArgumentError, ValueError, TypeError) as error:
            problems.append(f"parts.{index}: {error}")
    if problems:
        raise config.ConfigError(problems, source=f"recipe '{path}'")
    return Recipe(path.stem, str(cfg.get("title", path.stem)), tuple(parts), path)
