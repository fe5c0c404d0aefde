"""Train every cell of a grid, skipping what is done, and print the table.

Examples:
    auralsam2 run-grid demo --out work_dirs/demo
    auralsam2 run-grid demo --dry-run --seeds 0 1 2
    auralsam2 run-grid my_grid.py --set data.root=data/AVSBench optim.epochs=20 --jobs 2
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def main(argv: Sequence[str] | None = None) -> int:
    """Run or resume a grid; exit with 1 where a run failed."""
    options = _parser().parse_args(argv)

    from ablations.driver import pick_executor, run_grid
    from ablations.grid_file import load_grid
    from ablations.plan import make_plan
    from auralsam2.config import parse_overrides

    grid = load_grid(options.grid)
    overrides = parse_overrides(options.set)
    plan = make_plan(grid, out=options.out, seeds=options.seeds, overrides=overrides)
    for note in plan.notes:
        print(f"note: {note}")
    if options.dry_run:
        return _show_plan(plan)
    executor = pick_executor(options.jobs, plan)
    try:
        result = run_grid(grid, plan, executor, retry_failed=options.retry_failed)
    except KeyboardInterrupt:
        print("stopped; the same command goes on where this one ended", flush=True)
        raise
    return _show_result(plan.out, result)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("grid", help="a name or a path in .py")
    parser.add_argument("--out", type=Path, help="folder of the runs; default: the grid's own")
    parser.add_argument("--seeds", type=int, nargs="+", help="in place of the grid's own")
    parser.add_argument("--dry-run", action="store_true", help="show the runs and train nothing")
    parser.add_argument(
        "--set", nargs="+", default=[], metavar="KEY=VALUE", help="set in every cell, applied last"
    )
    parser.add_argument(
        "--jobs",
        type=int,
        help="runs at a time, 0 for one in this process; default: 1 on a GPU, else one a CPU "
        "core and at most 4",
    )
    parser.add_argument("--retry-failed", action="store_true", help="run failed ones again")
    return parser


def _show_plan(plan: Any) -> int:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("cell", "sets", "seed", "folder", "state", title=f"runs in {plan.out}")
    for run in plan.runs:
        sets = "\n".join(f"{path} = {node!r}" for path, node in run.cell.overrides.items())
        cells = (run.cell.name, sets or "(base)", str(run.cell.seed), run.run_dir.name, run.state)
        table.add_row(*map(Text, cells))
    Console().print(table)
    for problem in plan.problems:
        print(f"problem: {problem}")
    return 2 if plan.problems else 0


def _show_result(out: Path, result: Any) -> int:
    from rich.console import Console

    from ablations.driver import last_lines
    from analysis.results import NoResultsError, load_runs
    from analysis.tables import make_table, to_rich

    try:
        Console().print(to_rich(make_table(load_runs(out))))
    except NoResultsError as error:
        print(error)
    print(f"{len(result.finished)} runs finished, {len(result.skipped)} were done before; in {out}")
    for run, error in result.failed:
        print(f"\nFAILED {run.label} ({run.run_dir})\n{last_lines(error, 3)}")
    if result.failed:
        print(f"\n{len(result.failed)} runs failed; --retry-failed runs them again")
    return 1 if result.failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
