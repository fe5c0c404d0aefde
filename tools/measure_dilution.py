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

from analysis.options import add_measuring, measuring, read_runs, tell
from auralsam2.command_line import Parser, output_folder, run_file


def main(argv: Sequence[str] | None = None) -> int:
    """Write dilution.csv into every run folder, and figures and indices of all into figures/."""
    options = _parser().parse_args(argv)

    from analysis.dilution.measure import measure
    from analysis.dilution.readings import DilutionReadings
    from analysis.dilution.table import to_markdown
    from analysis.figures import dilution

    results = read_runs(options, options.folder)
    clips = dict(max_clips=options.max_clips, split=options.split)
    readings = DilutionReadings(sounds=options.sounds, **clips)
    folder = output_folder(options.out or options.folder / "figures")
    measured = measure(results, readings, **measuring(options, "reading attention"))
    paths = dilution.make(measured, folder, heads=options.heads)
    if not paths:
        raise ValueError(
            "no run has a decoder that can be probed:\n  " + "\n  ".join(measured.problems)
        )
    tell([*results.notes, *measured.problems], [])
    print(to_markdown(measured.indices))
    tell([], paths)
    return 0


def _parser() -> Parser:
    parser = Parser(__doc__)
    sounds = "counterfactual audio; the first one is drawn (default: swapped silence)"
    default = ["swapped", "silence"]
    parser.add_argument("--sounds", nargs="+", default=default, metavar="KIND", help=sounds)
    parser.add_argument("--heads", action="store_true", help="draw single heads, too")
    add_measuring(parser, "those to measure")
    return parser


if __name__ == "__main__":
    run_file(__file__)
