"""Draw and measure the audio-visual space of a grid's runs: t-SNE of arms side by side, numbers.

Examples:
    auralsam2 measure-embeddings work_dirs/contrastive_mini
    auralsam2 measure-embeddings work_dirs/my_grid --cells none InfoNCE AudioCon --max-clips 100
    auralsam2 measure-embeddings work_dirs/my_grid --set data.root=/elsewhere/AVSBench
"""

from __future__ import annotations

from collections.abc import Sequence

from analysis.options import add_measuring, measuring, read_runs, tell
from auralsam2.command_line import Parser, Real, Whole, output_folder, run_file


def main(argv: Sequence[str] | None = None) -> int:
    """Write figures/embedding_*; print the companions' means and the paths."""
    options = _parser().parse_args(argv)

    from analysis.embeddings.measure import measure
    from analysis.embeddings.points import RunPoints
    from analysis.embeddings.table import at_level, summarise
    from analysis.figures import embeddings

    results = read_runs(options, options.folder)
    clips = dict(max_clips=options.max_clips, split=options.split)
    points = RunPoints(per_kind=options.per_kind, **clips)
    folder = output_folder(options.out or options.folder / "figures")
    how = measuring(options, "drawing points")
    measured = measure(results, points, level=options.level, **how)
    paths = embeddings.make(measured, folder, perplexities=options.perplexities)
    if not paths:
        raise ValueError("\n".join(["no run has an audio-visual space", *measured.problems]))
    print(summarise(at_level(measured.companions, options.level)).to_string())
    tell([*results.notes, *measured.problems], paths)
    return 0


def _parser() -> Parser:
    parser = Parser(__doc__)
    add = parser.add_argument
    per_kind = "visual points a frame, on and off the object each (default: 16)"
    add("--per-kind", type=Whole(1), default=16, metavar="N", help=per_kind)
    level = "of the pyramid, 0 the finest, -1 the coarsest (default: -1)"
    add("--level", type=Whole(), default=-1, metavar="L", help=level)
    perplexities = "of t-SNE; the one in the middle is drawn large (default: 15 30 60)"
    add("--perplexities", nargs="+", type=Real(above=0), default=[15, 30, 60], help=perplexities)
    add_measuring(parser, "in the order of the panels")
    return parser


if __name__ == "__main__":
    run_file(__file__)
