"""Grids on disk, and what a file of a grid or a sweep is: plain Python that only states data."""

from __future__ import annotations
import __future__ as future

import ast
import os
import runpy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, TypeVar

from ablations.grids.axes import Axis, AxisValue, GridError, parse_axes, parse_named_cells
from ablations.grids.cells import Cell, expand
from ablations.grids.modes import BASE
from auralsam2 import config
from auralsam2.messages import ProblemsError, nearest, unknown_name

FOLDER = "grids"
Part = TypeVar("Part", Axis, AxisValue)
Known = Mapping[str, tuple[type, ...]]
"""Key of a file -> types of its value, the first of which is told."""
_KNOWN: dict[str, tuple[type, ...]] = {
    "base": (str,),
    "axes": (dict,),
    "mode": (str,),
    "when": (dict,),
    "exclude": (list, tuple),
    "cells": (list, tuple),
    "seeds": (list, tuple, range),
    "overrides": (dict,),
    "out": (str,),
    "title": (str,),
    "reference": (str,),
    "custom_imports": (dict,),
    "bases": (dict,),
}


@dataclass(frozen=True)
class Grid:
    """What a grid file states."""

    name: str  # the file's name without ``.py``
    base: str  # name or path of the config that every cell starts from, unless it names its own
    axes: tuple[Axis, ...]  # what varies
    seeds: tuple[int, ...] = (0,)  # the replicates of every cell
    # Dotted path -> value, set in every cell before its axis values.
    overrides: Mapping[str, Any] = field(default_factory=dict)
    out: str = ""  # folder of the runs
    title: str = ""  # for tables and figures
    reference: str | None = None  # name of the cell that the others are compared with
    # Files and modules that register components, as in a config.
    custom_imports: Mapping[str, Any] | None = None
    folder: Path = Path()  # of the file; relative paths in it start here
    mode: str = "product"  # how the axes are combined, see `ablations.grids.modes`
    # Axis -> other axis -> values under which the first one applies.
    when: Mapping[str, Any] = field(default_factory=dict)
    exclude: tuple[Any, ...] = ()  # combinations of values that are left out
    named_cells: tuple[AxisValue, ...] = ()  # cells stated one by one

    def cells(self, seeds: Sequence[int] | None = None) -> list[Cell]:
        """Return the cells of every seed, the grid's own seeds where None."""
        return expand(
            self.axes,
            self.seeds if seeds is None else seeds,
            mode=self.mode,
            when=self.when,
            exclude=self.exclude,
            named_cells=self.named_cells,
        )


def shipped_grids() -> dict[str, str]:
    """Return name -> first line of the docstring, the question it answers, without running any.

    Of a name that stands for a pair, it is the grid and the base: ``prompts --base ...``.
    """
    grids = {}
    for name in config.names(FOLDER):
        tree = ast.parse(config.find(name).read_text(encoding="utf-8"))
        text = (ast.get_docstring(tree) or "").partition("\n")[0]
        if name in config.aliases():
            text = " --base ".join(config.aliases()[name]).removeprefix(f"{FOLDER}/")
        grids[name.removeprefix(f"{FOLDER}/")] = text
    return grids


def grid_lines() -> list[str]:
    """Return a line for each shipped grid: its name and the question that it answers."""
    grids = shipped_grids()
    width = max(map(len, grids), default=0)
    return [f"{name:<{width}}  {question}" for name, question in grids.items()]


def load_grid(name_or_path: str, base: str | None = None) -> Grid:
    """Read a grid.

    Args:
        name_or_path: a shipped grid, e.g. ``demo``, or the path of a ``.py`` file.
        base: the config that cells start from in place of the grid's own, by its name or its path
            from the working folder. What the grid's ``bases`` state for it replaces what the
            grid states; name and folder are then those of the shipped name for the pair, or end
            in the base's name.

    Raises:
        FileNotFoundError: if there is no such grid; the message lists the known ones with their
            questions.
        GridError: with all problems at once.
    """
    path = _find(name_or_path)
    stated = read_statements(path, GridError)
    if base is not None and base.endswith(".py"):  # the caller's, not one beside the grid
        given = Path(os.path.expanduser(base)).resolve()
        own = set(config.names()) - set(config.aliases())
        shipped = {config.find(name).resolve(): name for name in own}
        base = shipped.get(given, str(given))
    base = base or config.base_of(name_or_path, FOLDER)
    base = None if base == beside(path, str(stated.get("base"))) else base
    problems, is_left_out = _put_on_base(path, stated, base)
    problems += key_problems(stated, _KNOWN, required=["base"])
    problems += [] if {"axes", "cells"} & set(stated) else ["missing key 'axes' (or 'cells')"]
    for key, problem in mistyped(stated, _KNOWN).items():
        problems.append(problem)
        del stated[key]
    grid, more = _grid(path, path.stem if base is None else _name_on_base(path, base), stated)
    if is_left_out and not more:
        more = _cells_off_base(grid)
    if problems or more:
        raise GridError([*problems, *more], source=str(path))
    return grid


def _put_on_base(path: Path, stated: dict[str, Any], base: str | None) -> tuple[list[str], bool]:
    """Replace what a grid states by what its ``bases`` state for a base.

    Returns:
        The problems of its ``bases``, and whether they leave out the base that is asked for.
    """
    problems: list[str] = []
    differing: dict[str, Any] | None = None
    known = _KNOWN.keys() - {"base", "bases"}
    bases = stated.get("bases", {})
    for name, own in bases.items() if isinstance(bases, dict) else ():
        if not isinstance(own, dict):
            problems.append(f"bases, {name!r}: got {own!r}, wanted a dict of what differs there")
            continue
        keys = [key for key in own if key not in known]
        problems += [f"bases, {name!r}: {unknown_name('key', str(key), known)}" for key in keys]
        if base == beside(path, str(name)):
            differing = own
    if base is not None:
        stated.update({} if problems else differing or {}, base=base)
    return problems, base is not None and differing is None


def _cells_off_base(grid: Grid) -> list[str]:
    kept = [cell.name for cell in grid.cells(seeds=[0]) if cell.config]
    if not kept:
        return []
    return [
        f"base {grid.base!r}: {len(kept)} cells start from a config of their own, e.g. "
        f"{kept[0]!r}; a grid of such cells states in its bases what they are there"
    ]


def _name_on_base(path: Path, base: str) -> str:
    """Return the shipped name for a grid on a base, else one that ends in the base's."""
    known = {pair: name for name, pair in config.aliases().items() if config.find(name) == path}
    name = known.get((f"{FOLDER}/{path.stem}", base), f"{path.stem}_{Path(base).stem}")
    return name.removeprefix(f"{FOLDER}/")


def _find(name_or_path: str) -> Path:
    try:
        return config.find(name_or_path, folder=FOLDER)
    except FileNotFoundError:
        if name_or_path.endswith(".py"):
            raise
    guess = nearest(name_or_path.rpartition("/")[2], shipped_grids())
    hint = f"; did you mean {guess!r}?" if guess else ";"
    listed = "".join(f"\n  {line}" for line in grid_lines())
    raise FileNotFoundError(
        f"unknown grid {name_or_path!r}{hint} a grid of your own is a path ending in .py; "
        f"known:{listed}"
    )


def _grid(path: Path, name: str, stated: Mapping[str, Any]) -> tuple[Grid, list[str]]:
    """Return the grid with all of its problems."""
    mode = stated.get("mode", "product")
    axes, of_axes = _parsed(lambda: parse_axes(stated.get("axes", {}), may_repeat=mode == "paired"))
    named, of_cells = _parsed(lambda: parse_named_cells(stated.get("cells", ())))
    grid = Grid(
        name=name,
        base=beside(path, stated.get("base", "")),
        axes=tuple(Axis(a.name, tuple(_anchored(path, v) for v in a.values)) for a in axes),
        seeds=tuple(stated.get("seeds", (0,))),
        overrides=dict(stated.get("overrides", {})),
        out=stated.get("out", f"work_dirs/{name}"),
        title=stated.get("title", name),
        reference=stated.get("reference", BASE if axes and mode == "one_at_a_time" else None),
        custom_imports=stated.get("custom_imports"),
        folder=path.parent,
        mode=mode,
        when=dict(stated.get("when", {})),
        exclude=tuple(stated.get("exclude", ())),
        named_cells=tuple(_anchored(path, cell) for cell in named),
    )
    if of_axes:  # some are missing: what else could be said would be about that
        return grid, of_axes + of_cells
    return grid, of_cells + _problems(grid, all_cells=not of_cells)


def _parsed(parse: Callable[[], tuple[Part, ...]]) -> tuple[tuple[Part, ...], list[str]]:
    try:
        return parse(), []
    except GridError as error:
        return (), error.problems


def _problems(grid: Grid, *, all_cells: bool) -> list[str]:
    try:
        names = {cell.name for cell in grid.cells()}
    except GridError as error:
        return error.problems
    if grid.reference is None or grid.reference in names or not all_cells:
        return []
    if grid.reference in _names_without_exclude(grid):
        return [f"reference: cell {grid.reference!r} is left out by exclude; name another one"]
    return ["reference: " + unknown_name("cell", grid.reference, names)]


def _names_without_exclude(grid: Grid) -> set[str]:
    try:
        return {cell.name for cell in replace(grid, exclude=()).cells()}
    except GridError:  # what is left out may contradict itself
        return set()


def _anchored(path: Path, value: AxisValue) -> AxisValue:
    """Return the value with the path of its config made absolute, where it has one."""
    return value if value.config is None else replace(value, config=beside(path, value.config))


def read_statements(path: Path, error: type[ProblemsError]) -> dict[str, Any]:
    """Run a file and return what it states; names with an underscore are its own variables.

    Raises ``error`` where the file raises anything, or wants to inherit.
    """
    try:
        names = runpy.run_path(str(path))
    except Exception as raised:  # such a file is a program: it may raise anything
        raise error([f"{type(raised).__name__}: {raised}"], source=str(path)) from raised
    if "_base_" in names:
        said = "_base_: this file inherits nothing; name a config as base"
        raise error([said], source=str(path))
    code = (ModuleType, FunctionType, type, future._Feature)
    return {k: v for k, v in names.items() if not k.startswith("_") and not isinstance(v, code)}


def key_problems(stated: Iterable[str], known: Known, required: Iterable[str]) -> Iterator[str]:
    """Yield the keys that nobody knows, and those that are missing."""
    yield from (unknown_name("key", key, known) for key in stated if key not in known)
    yield from (f"missing key {key!r}" for key in required if key not in stated)


def mistyped(stated: Mapping[str, Any], known: Known) -> dict[str, str]:
    """Return key -> problem of the values that have another type; a bool is no int."""
    return {
        key: f"{key}: got {stated[key]!r}, wanted {types[0].__name__}"
        for key, types in known.items()
        if key in stated
        and not (
            isinstance(stated[key], types) and (type(stated[key]) is not bool or bool in types)
        )
    }


def beside(path: Path, name: str) -> str:
    """Return the path of a config that a file names relative to itself; other names as they are."""
    config = (path.parent / name).resolve()
    return str(config) if name.endswith(".py") and config.is_file() else name
