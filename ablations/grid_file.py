"""Grids on disk: one Python file that only states data."""

from __future__ import annotations
import __future__ as future

import runpy
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from ablations.grid import Axis, Cell, GridError, expand, parse_axes
from auralsam2 import config
from auralsam2.suggestions import unknown_name

FOLDER = "grids"
_KNOWN: dict[str, tuple[type, ...]] = {
    "base": (str,),
    "axes": (dict,),
    "seeds": (list, tuple, range),
    "overrides": (dict,),
    "out": (str,),
    "title": (str,),
    "reference": (str,),
    "custom_imports": (dict,),
}
_REQUIRED = ("base", "axes")


@dataclass(frozen=True)
class Grid:
    """What a grid file states.

    Attributes:
        name: the file's name without ``.py``.
        base: name or path of the config that every cell starts from.
        axes: what varies.
        seeds: the replicates of every cell.
        overrides: dotted path -> value, set in every cell before its axis values.
        out: folder of the runs.
        title: for tables and figures.
        reference: name of the cell that the others are compared with.
        custom_imports: files and modules that register components, as in a config.
        folder: of the file; relative paths in it start here.
    """

    name: str
    base: str
    axes: tuple[Axis, ...]
    seeds: tuple[int, ...] = (0,)
    overrides: Mapping[str, Any] = field(default_factory=dict)
    out: str = ""
    title: str = ""
    reference: str | None = None
    custom_imports: Mapping[str, Any] | None = None
    folder: Path = Path()

    def cells(self) -> list[Cell]:
        """Return the cells of every seed."""
        return expand(self.axes, self.seeds)


def load_grid(name_or_path: str) -> Grid:
    """Read a grid.

    Args:
        name_or_path: a shipped grid, e.g. ``demo``, or the path of a ``.py`` file.

    Raises:
        FileNotFoundError: if there is no such grid; the message lists the known ones.
        GridError: with all problems at once.
    """
    path = config.find(name_or_path, folder=FOLDER)
    stated = _statements(path)
    problems = [unknown_name("key", key, _KNOWN) for key in stated if key not in _KNOWN]
    problems += [f"missing key {key!r}" for key in _REQUIRED if key not in stated]
    for key, types in _KNOWN.items():
        if key in stated and not isinstance(stated[key], types):
            problems.append(f"{key}: got {stated[key]!r}, wanted {types[0].__name__}")
            del stated[key]
    axes: tuple[Axis, ...] = ()
    try:
        axes = parse_axes(stated.get("axes", {}))
        names = {cell.name for cell in expand(axes, tuple(stated.get("seeds", (0,))))}
        reference = stated.get("reference")
        if axes and reference is not None and reference not in names:
            problems.append("reference: " + unknown_name("cell", reference, names))
    except GridError as error:
        problems += error.problems
    if problems:
        raise GridError(problems, source=str(path))
    return _grid(path, axes, stated)


def _grid(path: Path, axes: tuple[Axis, ...], stated: Mapping[str, Any]) -> Grid:
    name = path.stem
    beside = path.parent / stated["base"]
    return Grid(
        name=name,
        base=str(beside) if stated["base"].endswith(".py") and beside.is_file() else stated["base"],
        axes=axes,
        seeds=tuple(stated.get("seeds", (0,))),
        overrides=dict(stated.get("overrides", {})),
        out=stated.get("out", f"work_dirs/{name}"),
        title=stated.get("title", name),
        reference=stated.get("reference"),
        custom_imports=stated.get("custom_imports"),
        folder=path.parent,
    )


def _statements(path: Path) -> dict[str, Any]:
    """Run the file and return what it states; names with an underscore are its own variables."""
    try:
        names = runpy.run_path(str(path))
    except Exception as error:  # a grid file is a program: it may raise anything
        raise GridError([f"{type(error).__name__}: {error}"], source=str(path)) from error
    if "_base_" in names:
        raise GridError(["_base_: a grid inherits nothing; name a config as base"], str(path))
    code = (ModuleType, FunctionType, type, future._Feature)
    return {k: v for k, v in names.items() if not k.startswith("_") and not isinstance(v, code)}
