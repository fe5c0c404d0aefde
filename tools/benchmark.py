"""Measure where time, operations and memory of a training step and of an evaluated clip go.

A row is a part of the step without the parts inside it; what a reader needs to know of the numbers
stands below each table, and docs/performance.md tells more. With --prompting, what sound beside a
person's clicks costs: SAM2, AuralSAM2, and SAM2 beside a method that hears in its own encoder.

Examples:
    auralsam2 benchmark auralsam2/mini_v1m
    auralsam2 benchmark work_dirs/seed1 --steps 20 --json work_dirs/parts.json
    auralsam2 benchmark auralsam2/hiera_tiny_v1m --synthetic --random-weights --set optim.amp=None
    auralsam2 benchmark methods/tpavi_v2 --synthetic --random-weights --set data.train.subset=v2
    auralsam2 benchmark auralsam2/mini_v1m --synthetic --scale clips=1,2,4 frames=2,5,10
    auralsam2 benchmark auralsam2/hiera_large_v1m --forecast
    auralsam2 benchmark auralsam2/mini_v1m --prompting --steps 20 --figure prompting.png
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from auralsam2 import command_line as cli
from auralsam2.text_files import write_text


def main(argv: Sequence[str] | None = None) -> int:
    """Print tables as they come, then write what is asked for."""
    options = _parser().parse_args(argv)

    from auralsam2.config import parse_overrides
    from auralsam2.engine.benchmark.cases import Asked, axes_of, forecast_shown, steps_shown
    from auralsam2.engine.run_folder import find_target

    overrides = parse_overrides(options.set)
    overrides |= {} if options.seed is None else {"seed": options.seed}
    config, _ = find_target(options.config, None)
    asked = Asked(config, overrides, options.synthetic, options.random_weights or options.forecast)
    rounds = options.steps, options.warmup
    if options.prompting:
        from auralsam2.predictor.speed import prompting_shown

        found = prompting_shown(asked, options.adapter, options.prompting, *rounds)
    elif options.forecast:
        found = forecast_shown(asked)
    else:
        found = steps_shown(asked, axes_of(options.scale), *rounds)
    console, plain = cli.table_console(), {"config": options.config}
    for part in found:
        console.print("", part.heading, sep="\n")
        for title, cells, notes in part.tables:
            console.print("", title, cli.table_of(cells), *notes, sep="\n")
        plain |= part.plain
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
    timed = "that are timed, and as many without (%(default)s); rounds of --prompting"
    add("--steps", type=cli.Whole(1), default=5, help=timed)
    add("--warmup", type=cli.Whole(0), default=2, help="steps before them (%(default)s)")
    add("--seed", type=cli.Whole(0), help="of the run; default: the config's own")
    written = "write clips of the layout that the config reads to a temporary folder"
    add("--synthetic", action="store_true", help=written)
    random = "start parts at random that read files of weights"
    add("--random-weights", action="store_true", help=random)
    forecast = "measure nothing: forecast the memory of a training step on a GPU, which need not be"
    forecast += " here, on clips of five frames; no data or weights are read"
    add("--forecast", action="store_true", help=forecast)
    prompting = "measure clicks and sound on a made-up clip of FRAMES, one a second (%(const)s)"
    add("--prompting", nargs="?", type=cli.Whole(2), const=10, metavar="FRAMES", help=prompting)
    adapter = "method whose own encoder sees the frames again; default: %(default)s"
    add("--adapter", default="methods/sama_avs_v1m", metavar="CONFIG", help=adapter)
    scale = "measure with several of AXIS: clips (of a batch), image_size, or frames (--synthetic)"
    add("--scale", nargs="+", default=[], metavar="AXIS=N,N,...", help=scale)
    add("--json", type=cli.output_file, metavar="FILE", help="also write all numbers")
    bars = "also draw bars: writes FILE as PNG, and PDF and CSV beside it"
    add("--figure", type=cli.output_file, metavar="FILE", help=bars)
    steps = ("--synthetic", "--scale")
    others = ("--steps", "--warmup", "--seed", "--random-weights", "--json", "--figure")
    parser.useless("--forecast", "measures nothing", *steps, *others, "--prompting")
    parser.useless("--prompting", "makes its own clip", *steps)
    parser.needed("--adapter", "--prompting")
    return parser


if __name__ == "__main__":
    cli.run_file(__file__)
