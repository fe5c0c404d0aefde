"""Measure where time, operations and memory of a training step and of an evaluated clip go.

A row is a part of the step without the parts inside it; what a reader needs to know of the numbers
stands below each table, and docs/performance.md tells more.

Examples:
    auralsam2 benchmark auralsam2/mini_v1m
    auralsam2 benchmark work_dirs/seed1 --steps 20 --json work_dirs/parts.json
    auralsam2 benchmark auralsam2/hiera_tiny_v1m --synthetic --random-weights --set optim.amp=None
    auralsam2 benchmark methods/tpavi_v2 --synthetic --random-weights --set data.train.subset=v2
    auralsam2 benchmark auralsam2/mini_v1m --synthetic --scale clips=1,2,4 image_size=64,128,256
    auralsam2 benchmark auralsam2/hiera_large_v1m --forecast
    auralsam2 benchmark auralsam2/mini_v1m --synthetic --scale frames=2,5,10 --figure frames.png
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from auralsam2 import command_line as cli
from auralsam2.text_files import write_text


def main(argv: Sequence[str] | None = None) -> int:
    """Print a table for each kind of step; with --scale, one for each axis and kind."""
    options = _parser().parse_args(argv)

    from auralsam2.config import parse_overrides
    from auralsam2.engine.benchmark.cases import FORECAST, Asked, axes_of, forecast_cells, measured
    from auralsam2.engine.benchmark.table import conditions, tables
    from auralsam2.engine.run_folder import find_target

    config, _ = find_target(options.config, None)
    overrides = parse_overrides(options.set)
    if options.seed is not None:
        overrides["seed"] = options.seed
    asked = Asked(config, overrides, options.synthetic, options.random_weights or options.forecast)
    console, plain = cli.table_console(), dict[str, Any](config=options.config, measured=[])
    if options.forecast:
        console.print("", FORECAST, cli.table_of(forecast_cells(asked)), sep="\n")
        return 0
    for axis, reports in measured(asked, axes_of(options.scale), options.steps, options.warmup):
        values = {value: report.to_json() for value, report in reports.items()}
        plain["measured"].append({"axis": axis, "values": values})
        console.print("", conditions(next(iter(reports.values()))), sep="\n")
        for title, cells, notes in tables(axis, reports):
            console.print("", title, cli.table_of(cells), *notes, sep="\n")
    if options.json:
        write_text(options.json, json.dumps(plain, indent=2))
    if options.figure:
        from analysis.figures import benchmarks

        for path in benchmarks.make(plain, options.figure.parent, options.figure.stem):
            print(path)
    return 0


def _parser() -> cli.Parser:
    parser = cli.Parser(__doc__)
    add = parser.add_argument
    add("config", help="a config by name or path, or a run folder")
    cli.add_overrides(parser, "overrides, applied in order")
    timed = "that are timed, and as many without (%(default)s)"
    add("--steps", type=cli.Whole(1), default=5, help=timed)
    add("--warmup", type=cli.Whole(0), default=2, help="steps before them (%(default)s)")
    add("--seed", type=cli.Whole(0), help="of the run; default: the config's own")
    written = "write clips of the layout that the config reads to a temporary folder"
    add("--synthetic", action="store_true", help=written)
    random = "start parts at random that read files of weights"
    add("--random-weights", action="store_true", help=random)
    forecast = (
        "measure nothing: forecast the memory of a training step on a GPU, which need not be "
        "here, on clips of five frames; no data or weights are read"
    )
    add("--forecast", action="store_true", help=forecast)
    scale = "measure with several of AXIS: clips (of a batch), image_size, or frames (--synthetic)"
    add("--scale", nargs="+", default=[], metavar="AXIS=N,N,...", help=scale)
    add("--json", type=cli.output_file, metavar="FILE", help="also write all numbers")
    bars = "also draw bars: writes FILE as PNG, and PDF and CSV beside it"
    add("--figure", type=cli.output_file, metavar="FILE", help=bars)
    effectless = ("--steps", "--warmup", "--seed", "--synthetic", "--random-weights", "--scale")
    parser.useless("--forecast", "measures nothing", *effectless, "--json", "--figure")
    return parser


if __name__ == "__main__":
    from auralsam2_tools.__main__ import run_file

    run_file(__file__)
