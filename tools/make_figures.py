"""Draw the figures of a grid's runs, a sweep or a benchmark, each with the numbers it shows.

Of a grid: scores, what its axes do, training curves, scores against speed and size and after
corrective clicks, and X
Examples:
    auralsam2 make-figures work_dirs/demo
    auralsam2 make-figures work_dirs/demo --clips 1
    auralsam2 make-figures work_dirs/demo --failures lowest
    auralsam2 make-figures work_dirs/demo --failures --set data.root=/elsewhere/data
    auralsam2 make-figures work_dirs/demo --failures largest-gain --against none --cells dense
    auralsam2 make-figures work_dirs/demo --breakdown --reference dense --against none
    auralsam2 make-figures work_dirs/fuser_mini
    auralsam2 make-figures work_dirs/parts.json
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from analysis.options import add_mixing, read_runs, tell
from auralsam2.command_line import Parser, Whole, add_overrides, input_path, output_folder, run_file


def main(argv: Sequence[str] | None = None) -> int:
    """Write figures/*.{pdf,png,csv}; print their paths, and why a figure is not drawn."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.folder.is_file():
        return _of_benchmark(parser, options)

    from analysis.clips.picks import check_rules
    from analysis.figures import breakdown, failures, qualitative
    from analysis.figures.sweep import make as make_sweep
    from analysis.figures.whole_grid import make_all
    from analysis.runs.results import write_csv
    from analysis.runs.saved_clips import check_cells
    from analysis.runs.sweep_results import is_sweep
    from auralsam2.config import parse_overrides

    folder = output_folder(options.out or options.folder / "figures")
    if is_sweep(options.folder):
        tell([], make_sweep(options.folder, folder))
        return 0
    results = read_runs(options, options.folder)
    notes, cells = results.notes, options.cells
    check_cells(results, cells)
    rules = [] if options.failures is None else check_rules(options.failures)
    asked = dict(other=options.against, overrides=parse_overrides(options.set))
    paths = [write_csv(results, (options.out or options.folder) / "results.csv")]
    paths += make_all(results, folder)
    clips = qualitative.make(results, folder, num_clips=options.clips or 2, cells=cells)
    if not clips:
        notes.append("no run has saved predictions: no qualitative sheet")
    paths += clips
    for rule in rules:
        num_clips = options.clips or 4
        paths += failures.make(results, folder, rule, num_clips=num_clips, cells=cells, **asked)
    paths += breakdown.make(results, folder, **asked) if options.breakdown else []
    tell(notes, paths)
    return 0


def _of_benchmark(parser: Parser, options: Namespace) -> int:
    if useless := [n for n in parser.given(options) if n != "--out"]:
        parser.error(f"a benchmark's figure is drawn without {', '.join(useless)}")
    from analysis.figures import benchmarks

    plain = benchmarks.read(options.folder)
    tell([], benchmarks.make(plain, options.out or options.folder.parent, options.folder.stem))
    return 0


def _parser() -> Parser:
    parser = Parser(__doc__)
    add = parser.add_argument
    add(
        "folder", type=input_path, metavar="DIR|FILE", help="with runs below it; a benchmark's JSON"
    )
    out = "of the figures; default: DIR/figures, or beside FILE"
    add("--out", type=output_folder, metavar="FOLDER", help=out)
    add("--clips", type=Whole(1), metavar="N", help="on a sheet; default: 2, of failures 4")
    rules = "lowest, listens-least, largest-loss, largest-gain; all of them where none is named"
    add("--failures", nargs="*", metavar="RULE", help=f"draw sheets of failures: {rules}")
    add("--breakdown", action="store_true", help="the difference from --against, by kinds of clips")
    add("--cells", nargs="+", metavar="CELL", help="rows of the sheets")
    add("--reference", metavar="CELL", help="whose failures and differences; default: the grid's")
    other = "for largest-loss, largest-gain and --breakdown; default: the best other one"
    add("--against", metavar="CELL", help=other)
    add_overrides(parser, "overrides of the runs' configs where masks are made, e.g. data.root=...")
    add_mixing(parser)
    return parser


if __name__ == "__main__":
    run_file(__file__)
