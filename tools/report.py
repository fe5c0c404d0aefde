"""Write the runs of a grid or sweep as HTML pages that work offline.

A grid gets index.html and a page for every cell, a sweep index.html alone. They show scores that
can be sorted, figures, config differences, training curves, and every cell's worst and best clips
with sound and outlines. Masks of these clips are made by the runs' own weights; where weights or
data are gone, the clips that were saved stand there.

Examples:
    auralsam2 report work_dirs/demo
    auralsam2 report work_dirs/demo --set data.root=/elsewhere/AVSBench
    auralsam2 report work_dirs/demo --clips 0 --out paper/report
"""

from __future__ import annotations

from collections.abc import Sequence

from analysis.options import add_mixing, read_runs, tell, tracking
from auralsam2.command_line import Parser, Whole, add_overrides, input_path, output_folder, run_file


def main(argv: Sequence[str] | None = None) -> int:
    """Write DIR/report; print the path of its index.html."""
    options = _parser().parse_args(argv)

    from analysis.claims.file import claims_for, load_claims
    from analysis.report import ReportOptions, write_report, write_sweep_report
    from analysis.runs.sweep_results import is_sweep
    from auralsam2.config import parse_overrides

    out = output_folder(options.out or options.folder / "report")
    if is_sweep(options.folder):
        print(write_sweep_report(options.folder, out)[0])
        return 0
    results = read_runs(options, options.folder)
    shown = ReportOptions(
        num_clips=options.clips,
        overrides=parse_overrides(options.set),
        again=options.again,
        track=tracking("cells"),
        claims=load_claims(options.claims) if options.claims else claims_for(options.folder),
    )
    paths = write_report(results, options.folder, out, shown)
    tell(results.notes, paths[:1])
    return 0


def _parser() -> Parser:
    parser = Parser(__doc__)
    add = parser.add_argument
    add("folder", type=input_path, metavar="DIR", help="with run folders below it")
    add("--out", type=output_folder, metavar="DIR", help="of the pages; default: DIR/report")
    clips = "worst ones, and as many best ones (default: 3)"
    add("--clips", type=Whole(0), default=3, metavar="N", help=clips)
    add_overrides(parser, "overrides of the runs' configs where masks are made, e.g. data.root=...")
    add("--again", action="store_true", help="make masks anew")
    claims = "to judge, see check-claims; default: DIR/claims.py, or shipped ones about the grid"
    add("--claims", metavar="NAME|FILE", help=claims)
    add("--reference", metavar="CELL", help="to compare with; default: the grid's own")
    add_mixing(parser)
    return parser


if __name__ == "__main__":
    run_file(__file__)
