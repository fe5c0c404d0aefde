"""Score a grid's runs under corrupted sound and pictures: J, false-positive area, detection rate.

Each run's scores go into its own folder (robustness/), the figure and the table into DIR/figures;
docs/robustness.md defines corruptions and scores.

Examples:
    auralsam2 measure-robustness work_dirs/paper_mini
    auralsam2 measure-robustness work_dirs/my_grid --corruptions WhiteNoise Babble --strengths 10 0
    auralsam2 measure-robustness work_dirs/my_grid --cells ours --max-clips 100 --jobs 2
"""

from __future__ import annotations

from collections.abc import Sequence

from analysis.options import add_measuring, measuring, read_runs, tell
from auralsam2.command_line import Parser, Real, Whole, output_folder, run_file


def main(argv: Sequence[str] | None = None) -> int:
    """Write robustness/*.csv into every run folder, and figure and table of all into figures/."""
    options = _parser().parse_args(argv)

    from analysis.figures import robustness as figure
    from analysis.robustness.asked import asked_corruptions
    from analysis.robustness.measure import measure
    from analysis.robustness.scores import RunRobustness
    from analysis.robustness.table import to_markdown

    asked = asked_corruptions(options.corruptions, options.strengths)
    results = read_runs(options, options.folder)
    clips = dict(max_clips=options.max_clips, split=options.split)
    settings = RunRobustness(corruptions=asked, **clips)
    folder = output_folder(options.out or options.folder / "figures")
    how = measuring(options, "corrupting clips")
    measured = measure(results, settings, jobs=options.jobs, **how)
    paths = figure.make(measured, folder)
    if not paths:
        raise ValueError("\n  ".join(["nothing could be corrupted:", *measured.problems]))
    tell([*results.notes, *measured.problems], [])
    print(to_markdown(measured))
    tell([], paths)
    return 0


def _parser() -> Parser:
    parser = Parser(__doc__)
    add = parser.add_argument
    names = "auralsam2 list-components corruption tells them (default: all)"
    add("--corruptions", nargs="+", metavar="NAME", help=names)
    strengths = "of all of them, in their one unit, e.g. 10 0 -10 (default: the usual ones of each)"
    add("--strengths", nargs="+", type=Real(), metavar="X", help=strengths)
    add("--jobs", type=Whole(1), default=1, metavar="N", help="runs at once (default: 1)")
    add_measuring(parser, "those to measure")
    return parser


if __name__ == "__main__":
    run_file(__file__)
