"""A plan in words: one row a cell, however many seeds and cells there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
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
    rows = []
    for name, same in by_cell.items():
        seeds = ", ".join(str(run.cell.seed) for run in same)
        first, *others = _states(same)
        state = ", ".join([first, *others]) if others else first.partition(" ")[2]
        rows.append(PlanRow(name, _settings(same[0].cell), seeds, state, same[0].run_dir.name))
    return rows


def plan_size(grid: Grid, runs: Sequence[PlannedRun]) -> str:
    """Return the number of cells and runs in one line, and what the grid is made of."""
    axes = [f"{axis.name} ({len(axis.values)})" for axis in grid.axes]
    parts = [f"{grid.mode.replace('_', ' ')} of {', '.join(axes)}"] if axes else []
    if grid.named_cells:
        parts.append(f"{len(grid.named_cells)} named")
    made = f" ({'; '.join(parts)})" if parts else ""
    states = ", ".join(_states(runs)) or "none"
    return f"{len(plan_rows(runs))} cells{made}, {len(runs)} runs: {states}"


def show_plan(
    grid: Grid,
    runs: Sequence[PlannedRun],
    plan: Plan,
    *,
    every_cell: bool = False,
    console: Console | None = None,
) -> int:
    """Print the cells of a plan, or of its selected runs, as a table, and the plan's problems.

    Folders stand in it where there is room; more than `MAX_CELLS` cells on demand.

    Returns:
        The exit status: 2 where there are problems, else 0.
    """
    console, rows = console or table_console(), plan_rows(runs)
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
    console.print(Text(f"runs in {plan.out}"), soft_wrap=True)
    console.print(table)
    if len(shown) < len(rows):
        console.print(f"… and {len(rows) - len(shown)} more cells")
    console.print(Text(plan_size(grid, runs)))
    for problem in plan.problems:
        print(f"problem: {problem}")
    return 2 if plan.problems else 0


def _settings(cell: Cell) -> tuple[str, ...]:
    start = [] if cell.config is None else [f"config {cell.config}"]
    return (*start, *(_cut(f"{path} = {node!r}") for path, node in cell.overrides.items()))


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_SETTING else text[: _MAX_SETTING - 1] + "…"


def _states(runs: Sequence[PlannedRun]) -> list[str]:
    counts = Counter("shared" if run.shares else run.state for run in runs)
    return [f"{number} {state}" for state, number in counts.items()]
