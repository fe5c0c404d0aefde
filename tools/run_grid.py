"""Train every cell of a grid, skipping what is done, and print the table.

Examples:
    auralsam2 run-grid
    auralsam2 run-grid demo --out work_dirs/demo
    auralsam2 run-grid pyramid --base auralsam2/mini_v1m
    auralsam2 run-grid my_grid.py --set data.root=data/AVSBench optim.epochs=20 --dry-run
    auralsam2 run-grid my_grid.py --gpus 0,1 --jobs-per-gpu 2 --preflight --oom-retries 2
    auralsam2 run-grid fusion --lockstep
    auralsam2 run-grid my_grid.py --only cell=none --only seed=0 --retry-failed
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from auralsam2.command_line import Parser, output_folder, table_console


def main(argv: Sequence[str] | None = None) -> int:
    """Run or resume a grid; exit with 1 where a run failed."""
    from ablations.options import add_grid_arguments, chosen

    parser = Parser(__doc__)
    add_grid_arguments(parser)
    options = parser.parse_args(argv)
    if options.grid is None:
        return _list_grids()

    from ablations.driver import trains_on_gpu
    from ablations.executors.base import from_options
    from ablations.grids.file import load_grid
    from ablations.grids.plan import make_plan, select
    from ablations.preflight import preflight
    from ablations.run_grid import run_grid
    from ablations.runs.processes import say_how_to_go_on
    from auralsam2.config import parse_overrides

    grid, overrides = load_grid(options.grid, options.base), parse_overrides(options.set)
    asked = dict(out=options.out, seeds=options.seeds, keep_code=options.keep_code)
    plan = make_plan(grid, overrides=overrides, **asked)
    for note in plan.notes:
        print(f"note: {note}")
    runs = plan.runs if plan.problems else select(plan.runs, options.only)
    if options.dry_run and (plan.problems or not options.preflight):
        return _show_plan(grid, plan, runs, options.all_cells)
    options.num_items, options.on_gpu = len(runs), lambda: trains_on_gpu(r.cfg for r in runs)
    output_folder(plan.out)
    executor = from_options(options)
    with say_how_to_go_on():
        if options.preflight and not plan.problems:
            report = preflight(runs, plan.out, executor)
            print("\n".join(report.lines()))
            if options.dry_run or report.problems:
                return 2 if report.problems else 0
        result = run_grid(grid, plan, executor, chosen(options))
    return _show_result(plan.out, result)


def _list_grids() -> int:
    """Print the shipped grids with the question that each answers."""
    from ablations.grids.file import shipped_grids

    grids = shipped_grids()
    for name, question in grids.items():
        print(f"{name:<{max(map(len, grids))}}  {question}")
    return 0


def _show_plan(grid: Any, plan: Any, runs: Sequence[Any], every_cell: bool) -> int:
    from ablations.grids.plan_table import print_plan

    print_plan(table_console(), grid, runs, plan.out, every_cell=every_cell)
    for problem in plan.problems:
        print(f"problem: {problem}")
    return 2 if plan.problems else 0


def _show_result(out: Path, result: Any) -> int:
    from analysis.runs.results import NoResultsError, load_runs
    from analysis.tables import make_table, to_rich

    console = table_console()
    try:
        console.print(to_rich(make_table(load_runs(out)), console.width))
    except NoResultsError as nothing:
        print(nothing)
    print("\n".join(result.lines(out)))
    return 1 if result.failed else 0


if __name__ == "__main__":
    from auralsam2_tools.__main__ import run_file

    run_file(__file__)
