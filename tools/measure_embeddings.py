"""Draw and measure the audio-visual space of a grid's runs: t-SNE of arms side by side, numbers.

Examples:
    auralsam2 measure-embeddings work_dirs/contrastive_mini
    auralsam2 measure-embeddings work_dirs/my_grid --cells none InfoNCE AudioCon --max-clips 100
    auralsam2 measure-embeddings work_dirs/my_grid --set data.root=/elsewhere/AVSBench
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from analysis.options import add_arguments, read_runs
from auralsam2.command_line import Parser, Real, Whole, add_overrides, input_path, output_folder


def main(argv: Sequence[str] | None = None) -> int:
    """Write figures/embedding_*; print the companions' means and the paths."""
    options = _parser().parse_args(argv)

    from rich.console import Console
    from rich.progress import track

    from analysis.embeddings.measure import measure
    from analysis.embeddings.table import at_level, summarise
    from auralsam2.config import parse_overrides

    results = read_runs(options, options.folder)
    measured = measure(
        results,
        output_folder(options.out or options.folder / "figures"),
        cells=options.cells,
        split=options.split,
        per_kind=options.per_kind,
        max_clips=options.max_clips,
        level=options.level,
        perplexities=options.perplexities,
        again=options.again,
        overrides=parse_overrides(options.set),
        track=partial(track, description="drawing points", console=Console(stderr=True)),
    )
    if not measured.paths:
        raise ValueError("\n".join(["no run has an audio-visual space", *measured.problems]))
    chosen = at_level(measured.companions, options.level)
    print(summarise(chosen, list(dict.fromkeys(chosen["space"]))[::-1]).to_string())
    for note in [*results.notes, *measured.problems]:
        print(f"note: {note}")
    print("\n".join(map(str, measured.paths)))
    return 0


def _parser() -> Parser:
    parser = Parser(__doc__)
    add = parser.add_argument
    add("folder", type=input_path, metavar="DIR", help="of a grid, with finished runs")
    add("--out", type=output_folder, metavar="DIR", help="of the figures; default: DIR/figures")
    add("--cells", nargs="+", metavar="CELL", help="in the order of the panels; default: all")
    add("--split", default="test", help="whose clips (default: test)")
    add("--max-clips", type=Whole(1), metavar="N", help="the first clips of the split only")
    per_kind = "visual points a frame, on and off the object each (default: 16)"
    add("--per-kind", type=Whole(1), default=16, metavar="N", help=per_kind)
    level = "of the pyramid, 0 the finest, -1 the coarsest (default: -1)"
    add("--level", type=Whole(), default=-1, metavar="L", help=level)
    perplexities = "of t-SNE; the one in the middle is drawn large (default: 15 30 60)"
    add("--perplexities", nargs="+", type=Real(above=0), default=[15, 30, 60], help=perplexities)
    add("--again", action="store_true", help="draw points also where the runs' folders have them")
    add_overrides(parser, "overrides of the runs' configs, e.g. data.root=...")
    add_arguments(parser)
    return parser


if __name__ == "__main__":
    from auralsam2_tools.__main__ import run_file

    run_file(__file__)
