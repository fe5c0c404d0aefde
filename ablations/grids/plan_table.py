"""A plan in words: one row a cell, however many seeds and cells there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ablations.grids.cells import Cell
from ablations.grids.file import Grid
from ablations.grids.plan import Plan, PlannedRun
from auralsam2.command_line import table_console

MAX_CELLS = 40
"""More than these are not listed unless asked for."""
_MAX_SETTING = 90
_WIDE = 120


class PlanRow(NamedTuple):
    """One cell of a plan, all seeds together."""

    cell: str  # its name
    sets: tuple[str, ...]  # one line a setting in which it differs from the grid's base
    seeds: str  # in the order in which they run
    state: str  # the state that all seeds share, or how many have which
    folder: str  # of the first seed; those of the others differ in seed and identity


def plan_rows(runs: Sequence[PlannedRun]) -> list[PlanRow]:
    """Return one row for each cell of the runs."""
    by_cell: dict[str, list[PlannedRun]] = {}
    for run in runs:
        by_cell.setdefault(run.cell.name, []).append(run)
    return [
        PlanRow(
            name,
            _settings(same[0].cell),
            ", ".join(str(run.cell.seed) for run in same),
            _states(same),
            same[0].run_dir.name,
        )
        for name, same in by_cell.items()
    ]


def plan_size(grid: Grid, runs: Sequence[PlannedRun]) -> str:
    """Return the number of cells and runs in one line, and what the grid is made of."""
    axes = [f"{axis.name} ({len(axis.values)})" for axis in grid.axes]
    parts = [f"{grid.mode.replace('_', ' ')} of {', '.join(axes)}"] if axes else []
    if grid.named_cells:
        parts.append(f"{len(grid.named_cells)} named")
    made = f" ({'; '.join(parts)})" if parts else ""
    states = ", ".join(f"{number} {state}" for state, number in _count(runs).items())
    return f"{len(plan_rows(runs))} cells{made}, {len(runs)} runs: {states or 'none'}"


def print_plan(
    console: Console,
    grid: Grid,
    runs: Sequence[PlannedRun],
    out: Path,
    *,
    every_cell: bool = False,
) -> None:
    """Print the cells of a plan, or of its selected runs, as a table.

    Folders stand in it where there is room; more than `MAX_CELLS` cells on demand.
    """
    rows = plan_rows(runs)
    shown = rows if every_cell else rows[:MAX_CELLS]
    wide = console.width >= _WIDE
    table = Table()
    table.add_column("cell", overflow="fold")
    table.add_column("sets", overflow="fold")
    for header in ("seeds", "state", "folder")[: 3 if wide else 2]:
        table.add_column(header)
    for row in shown:
        cells = [row.cell, "\n".join(row.sets) or "(base)", row.seeds, row.state]
        table.add_row(*map(Text, [*cells, row.folder] if wide else cells))
    console.print(Text(f"runs in {out}"), soft_wrap=True)
    console.print(table)
    if len(shown) < len(rows):
        console.print(f"… and {len(rows) - len(shown)} more cells")
    console.print(Text(plan_size(grid, runs)))


def show_plan(grid: Grid, runs: Sequence[PlannedRun], plan: Plan, *, every_cell: bool) -> int:
    """Print a plan and its problems; 2 where it has some, else 0."""
    print_plan(table_console(), grid, runs, plan.out, every_cell=every_cell)
    for problem in plan.problems:
        print(f"problem: {problem}")
    return 2 if plan.problems else 0


def _settings(cell: Cell) -> tuple[str, ...]:
    start = [] if cell.config is None else [f"config {cell.config}"]
    return (*start, *(_cut(f"{path} = {node!r}") for path, node in cell.overrides.items()))


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_SETTING else text[: _MAX_SETTING - 1] + "…"


def _states(runs: Sequence[PlannedRun]) -> str:
    counts = _count(runs)
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{number} {state}" for state, number in counts.items())


def _count(runs: Sequence[PlannedRun]) -> Counter[str]:
    return Counter("shared" if run.shares else run.state for run in runs)
