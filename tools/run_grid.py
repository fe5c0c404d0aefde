"""Run every cell of a grid, skip what is done, resume what was killed.

Examples:
    auralsam2 run-grid demo --out work_dirs/demo --jobs 2
    auralsam2 run-grid my_grid.py --seeds 0 1 2 --set data.root=data/AVSBench
    auralsam2 run-grid demo --dry-run
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def main(argv: Sequence[str] | None = None) -> int:
    """Run a grid; exit with 1 where a run failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("grid", help="a shipped grid by name, or a path in .py")
    parser.add_argument("--out", type=Path, help="folder of the runs (default: the grid's own)")
    parser.add_argument("--seeds", type=int, nargs="+", help="in place of the grid's own")
    parser.add_argument("--dry-run", action="store_true", help="show the runs and stop")
    parser.add_argument(
        "--set", nargs="+", default=[], metavar="KEY=VALUE", help="overrides of every cell"
    )
    parser.add_argument("--jobs", type=int, help="runs at a time (default: by cores or GPU)")
    parser.add_argument("--retry-failed", action="store_true", help="run failed ones again")
    options = parser.parse_args(argv)
    if options.jobs is not None and options.jobs < 1:
        raise ValueError(f"--jobs must be at least 1, got {options.jobs}")

    from rich.console import Console

    from ablations.driver import run_grid
    from ablations.executors import LocalExecutor
    from ablations.grid import GridError
    from ablations.grid_file import load_grid
    from ablations.plan import make_plan
    from auralsam2.config import parse_overrides

    console = Console()
    grid = load_grid(options.grid)
    overrides = parse_overrides(options.set)
    plan = make_plan(grid, out=options.out, seeds=options.seeds, overrides=overrides)
    for note in plan.notes:
        console.print(f"note: {note}", highlight=False)
    if options.dry_run:
        _show(console, plan)
        if plan.problems:
            raise GridError(plan.problems, source=f"grid {grid.name!r}")
        return 0
    executor = LocalExecutor(options.jobs) if options.jobs else None
    result = run_grid(grid, plan, executor, retry_failed=options.retry_failed, console=console)
    if result.finished or result.skipped:
        from analysis.results import load_runs
        from analysis.tables import make_table, to_rich

        console.print(to_rich(make_table(load_runs(plan.out))))
    _report(console, result)
    return 1 if result.failed else 0


def _show(console: Any, plan: Any) -> None:
    from rich.table import Table

    table = Table("run", "state", "overrides", "folder")
    for run in plan.runs:
        sets = "\n".join(f"{path} = {node}" for path, node in run.cell.overrides.items())
        table.add_row(run.label, run.state, sets, str(run.run_dir))
    console.print(table)


def _report(console: Any, result: Any) -> None:
    from ablations.driver import last_lines

    console.print(
        f"{len(result.finished)} runs finished, {len(result.skipped)} were done before, "
        f"{len(result.failed)} failed",
        highlight=False,
    )
    for run, error in result.failed:
        console.print(f"FAILED {run.label} ({run.run_dir}):", style="bold red", highlight=False)
        console.print(last_lines(error, 5), highlight=False, markup=False)
    if result.failed:
        console.print("run them again with --retry-failed")


if __name__ == "__main__":
    raise SystemExit(main())
