"""Forecast the seeds, hours and disk that a grid takes to show a difference, before it starts.

Seeds come from how finished runs vary: those in the folder of the grid, or of a pilot (--runs) with
fewer seeds, epochs or clips; docs/statistics.md says how. A difference is in points: hundredths of
a metric's range, so that 1.0 is J 0.54 against 0.55. Hours and disk come from the same runs.

Examples:
    auralsam2 plan-grid paper_mini --detect 2.0
    auralsam2 run-grid my_grid.py --seeds 0 1 2 --set optim.epochs=2 --out work_dirs/pilot
    auralsam2 plan-grid my_grid.py --detect 1.0 --runs work_dirs/pilot --metric F
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from analysis.options import add_mixing, read_runs, tell
from auralsam2.command_line import Parser, Real, add_overrides, input_path, output_folder, run_file


def main(argv: Sequence[str] | None = None) -> int:
    """Print the forecast."""
    options = _parser().parse_args(argv)

    from ablations.costs import cost_notes, cost_table, measured_costs, pilot
    from ablations.grids.axes import GridError
    from ablations.grids.file import load_grid
    from ablations.grids.plan import make_plan
    from ablations.until_decided import seed_order
    from analysis.runs.results import NoResultsError
    from analysis.statistics import forecast as of
    from auralsam2.command_line import table_console, table_of
    from auralsam2.config import parse_overrides

    grid = load_grid(options.grid, options.base)
    asked = {"out": options.out, "overrides": parse_overrides(options.set)}
    plan = make_plan(grid, **asked)
    if plan.problems:
        raise GridError(plan.problems, source=f"grid {grid.name!r}")
    folder = options.runs or plan.out
    how = pilot(options.grid, options.base, options.set)
    try:
        results = read_runs(options, folder)
    except (FileNotFoundError, NoResultsError) as nothing:
        raise NoResultsError(f"{nothing}\n{how}") from nothing
    forecasts = of.forecast(results, _rows(options, grid, plan, results), options.detect)
    wanted = of.seeds_of_cells(forecasts)
    most = max([len(grid.seeds), *wanted.values()])
    plan = make_plan(grid, seeds=seed_order(grid.seeds, most), **asked)
    costs = measured_costs(plan.runs, folder)
    table_console().print(table_of(of.forecast_table(forecasts)))
    table_console().print(table_of(cost_table(plan.runs, wanted, costs)))
    notes = [
        of.forecast_note(forecasts, options.detect),
        *cost_notes(wanted, costs, folder, plan.out, how),
    ]
    tell([*notes, *results.notes], [])
    return 0


def _rows(options: Any, grid: Any, plan: Any, results: Any) -> dict[str, Any]:
    """Return what is to be told apart: every cell from the reference, or what claims speak of."""
    from analysis.claims.file import load_claims
    from analysis.statistics.forecast import against
    from auralsam2.messages import unknown_name

    if options.claims:
        claims = load_claims(options.claims).claims
        bounds = [(c, b) for c in claims for b in c.bounds(1)]
        return {f"{c.sentence} ({b.words})": b.weights for c, b in bounds}
    cells = dict.fromkeys(run.cell.name for run in plan.runs)
    reference = options.reference or grid.reference or results.reference
    if reference not in cells:
        raise ValueError(unknown_name("--reference", str(reference), cells))
    return against(cells, reference, (options.split, options.metric))


def _parser() -> Parser:
    parser = Parser(__doc__)
    add = parser.add_argument
    add("grid", help="a name or a path in .py")
    add("--detect", type=Real(above=0), required=True, metavar="POINTS", help="difference to find")
    add("--runs", type=input_path, metavar="DIR", help="a grid with finished runs, e.g. a pilot")
    add("--split", default="test", help="that is compared (%(default)s)")
    add("--metric", default="J", help="that is compared (%(default)s)")
    add("--reference", metavar="CELL", help="that all are compared with; default: the grid's own")
    add("--claims", metavar="NAME|FILE", help="in place of that: what these claims compare")
    add("--base", help="config that cells start from in place of the grid's own")
    add("--out", type=output_folder, help="folder of the grid; default: the file's own")
    add_overrides(parser, "set in every cell, applied last")
    add_mixing(parser)
    parser.useless("--claims", "say what is compared", "--split", "--metric", "--reference")
    return parser


if __name__ == "__main__":
    run_file(__file__)
