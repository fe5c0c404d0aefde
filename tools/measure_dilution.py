"""Measure how audio prompts fare in the mask decoder of a grid's runs: dilution, block by block.

Each run's numbers go into its own folder (dilution.csv), figures and the table of D1 and D2 into
DIR/figures; docs/dilution.md defines them.

Examples:
    auralsam2 measure-dilution work_dirs/paper_mini --heads
    auralsam2 measure-dilution work_dirs/my_grid --sounds swapped silence noise --max-clips 100
    auralsam2 measure-dilution work_dirs/my_grid --cells 'no prompt' ours --set data.root=/elsewhere
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from analysis.options import add_arguments, read_runs
from auralsam2.command_line import Parser, Whole, add_overrides, input_path, output_folder


def main(argv: Sequence[str] | None = None) -> int:
    """Write dilution.csv into every run folder, and figures and indices of all into figures/."""
    options = _parser().parse_args(argv)

    from rich.console import Console
    from rich.progress import track

    from analysis.dilution.measure import measure
    from analysis.dilution.table import to_markdown
    from auralsam2.config import parse_overrides

    results = read_runs(options, options.folder)
    measured = measure(
        results,
        output_folder(options.out or options.folder / "figures"),
        cells=options.cells,
        sounds=options.sounds,
        max_clips=options.max_clips,
        split=options.split,
        heads=options.heads,
        again=options.again,
        overrides=parse_overrides(options.set),
        track=partial(track, description="reading attention", console=Console(stderr=True)),
    )
    if not measured.paths:
        raise ValueError(
            "no run has a decoder that can be probed:\n  " + "\n  ".join(measured.problems)
        )
    for note in results.notes:
        print(f"note: {note}")
    for problem in measured.problems:
        print(f"left out: {problem}")
    print(to_markdown(measured.indices))
    print("\n".join(map(str, measured.paths)))
    return 0


def _parser() -> Parser:
    parser = Parser(__doc__)
    add = parser.add_argument
    add("folder", type=input_path, metavar="DIR", help="of a grid, with finished runs")
    out = "of figures and table; default: DIR/figures"
    add("--out", type=output_folder, metavar="DIR", help=out)
    add("--cells", nargs="+", metavar="CELL", help="those to measure; default: all")
    sounds = "counterfactual audio; the first one is drawn (default: swapped silence)"
    add("--sounds", nargs="+", default=["swapped", "silence"], metavar="KIND", help=sounds)
    add("--heads", action="store_true", help="draw single heads, too")
    add("--max-clips", type=Whole(1), metavar="N", help="the first clips of the split only")
    add("--split", default="test", help="whose clips (default: test)")
    add("--again", action="store_true", help="also where the numbers are there")
    add_overrides(
        parser, "overrides of the runs' configs, e.g. data.root=... where the data have moved"
    )
    add_arguments(parser)
    return parser


if __name__ == "__main__":
    from auralsam2_tools.__main__ import run_file

    run_file(__file__)
