from __future__ import annotations

import io

from rich.console import Console

from ablations.grids.plan_table import MAX_CELLS, plan_rows, plan_size, show_plan
from auralsam2.engine import run_record


def test_one_row_a_cell(write_grid, plan_of) -> None:
    long = dict(name="long", set={"data.root": "x" * 200})
    grid = write_grid(
        axes={"way": [dict(name="base", set={}), long]},
        seeds=[0, 3],
        cells=[dict(name="other", config="toy.py", set={"optim.epochs": 9})],
    )
    first = plan_of(grid).runs[0]
    run_record.write(run_record.RunRecord(status="done"), first.run_dir)
    base, longer, other = plan_rows(plan_of(grid).runs)
    assert (base.cell, base.seeds, base.state) == ("base", "0, 3", "1 done, 1 pending")
    assert other.sets[0].startswith("config ") and other.sets[1] == "optim.epochs = 9"
    assert (base.sets, other.state) == ((), "pending")
    assert len(longer.sets[0]) == 90 and longer.sets[0].endswith("…")


def test_the_size_says_what_the_cells_are_made_of(named_grid, plan_of) -> None:
    grid = named_grid("a", "b", mode="one_at_a_time", seeds=[0, 1])
    text = plan_size(grid, plan_of(grid).runs)
    assert text == "2 cells (one at a time of way (2)), 4 runs: 4 pending"


def test_a_large_plan_stays_readable(write_grid, plan_of, console) -> None:
    grid = write_grid(axes={"optim.epochs": list(range(1, MAX_CELLS + 11))}, seeds=[0, 1, 2])
    plan = plan_of(grid)
    assert show_plan(grid, plan.runs, plan, console=console) == 0
    text = console.file.getvalue()
    assert "… and 10 more cells" in text and "150 runs: 150 pending" in text
    assert len(text.splitlines()) < 3 * MAX_CELLS
    show_plan(grid, plan.runs, plan, every_cell=True, console=console)
    assert f"epochs={MAX_CELLS + 10}" in console.file.getvalue()


def test_texts_are_no_markup(write_grid, plan_of, console) -> None:
    grid = write_grid(axes={"way": [dict(name="[red]a[/red]", set={})]})
    plan = plan_of(grid)
    show_plan(grid, plan.runs, plan, console=console)
    assert "[red]" in console.file.getvalue()


def test_a_wide_terminal_shows_folders_too(named_grid, plan_of) -> None:
    grid = named_grid("a", "b")
    shown = {}
    for width in (80, 140):
        console = Console(file=io.StringIO(), width=width)
        show_plan(grid, (plan := plan_of(grid)).runs, plan, console=console)
        shown[width] = console.file.getvalue()
        assert "optim.epochs = 2" in shown[width]
    assert "a-s0-" in shown[140] and "a-s0-" not in shown[80]
