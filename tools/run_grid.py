"""Train every cell of a grid, skipping what is done, and print the table.

Examples:
    auralsam2 run-grid
    auralsam2 run-grid demo --out work_dirs/demo
    auralsam2 run-grid pyramid --base auralsam2/mini_v1m
    auralsam2 run-grid my_grid.py --set data.root=data/AVSBench optim.epochs=20 --dry-run
    auralsam2 run-grid my_grid.py --gpus 0,1 --jobs-per-gpu 2 --preflight --oom-retries 2
    auralsam2 run-grid fusion --lockstep
    auralsam2 run-grid my_grid.py --only cell=none --only seed=0 --retry-failed
    auralsam2 run-grid my_grid.py --until-decided my_claims.py --max-seeds 8 --budget 40
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from auralsam2.command_line import Parser, output_folder, run_file, table_console


def main(argv: Sequence[str] | None = None) -> int:
    """Run or resume a grid; 1 where a run failed, 3 where claims are still open."""
    from ablations.options import add_grid_arguments, chosen

    parser = Parser(__doc__)
    add_grid_arguments(parser)
    options = parser.parse_args(argv)

    from ablations.driver import trains_on_gpu
    from ablations.executors.base import from_options
    from ablations.grids.file import grid_lines, load_grid
    from ablations.grids.plan import make_plan, select
    from ablations.grids.plan_table import show_plan
    from ablations.preflight import preflight
    from ablations.run_grid import run_grid
    from ablations.runs.processes import say_how_to_go_on
    from auralsam2.config import parse_overrides

    if options.grid is None:
        print("\n".join(grid_lines()))
        return 0
    grid = load_grid(options.grid, options.base)
    how = {"overrides": parse_overrides(options.set), "keep_code": options.keep_code}
    plan_of = partial(make_plan, grid, out=options.out, **how)
    plan = plan_of(seeds=options.seeds)
    print("".join(f"note: {note}\n" for note in plan.notes), end="")
    runs = plan.runs if plan.problems else select(plan.runs, options.only)
    if options.dry_run and (plan.problems or not options.preflight):
        return show_plan(grid, runs, plan, every_cell=options.all_cells)
    options.num_items, options.on_gpu = len(runs), lambda: trains_on_gpu(r.cfg for r in runs)
    output_folder(plan.out)
    executor = from_options(options)
    with say_how_to_go_on():
        if options.preflight and not plan.problems:
            report = preflight(runs, plan.out, executor)
            print("\n".join(report.lines()))
            if options.dry_run or report.problems:
                return 2 if report.problems else 0
        if options.until_decided and not plan.problems:
            return _until_decided(grid, plan, plan_of, executor, options)
        result = run_grid(grid, plan, executor, chosen(options))
    return _show_result(plan.out, result)


def _until_decided(grid: Any, plan: Any, plan_of: Any, executor: Any, options: Any) -> int:
    """Add seeds until the claims are decided: what joins the training and the looks."""
    from ablations.options import chosen
    from ablations.until_decided import GridTraining, seed_order, until_decided
    from analysis.claims.file import load_claims
    from analysis.claims.looks import Looks

    recipes = {run.cell.name: run.recipe for run in plan.runs}
    looks = Looks(load_claims(options.until_decided), plan.out, options.max_seeds, recipes)
    train = GridTraining(grid, plan_of, executor, chosen(options), budget_h=options.budget)
    order = seed_order(options.seeds or grid.seeds, options.max_seeds)
    ending = until_decided(order, looks.open_cells(0), train, looks.decide)
    status = _show_result(plan.out, train.result)
    print(ending)
    return status or 3 * bool(ending.why)


def _show_result(out: Path, result: Any) -> int:
    from analysis.runs.results import NoResultsError, load_runs
    from analysis.tables import make_table, to_rich

    try:
        (to := table_console()).print(to_rich(make_table(load_runs(out)), to.width))
    except NoResultsError as nothing:
        print(nothing)
    print("\n".join(result.lines(out)))
    return 1 if result.failed else 0


if __name__ == "__main__":
    run_file(__file__)
