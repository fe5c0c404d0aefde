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

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path


def main(argv: Sequence[str] | None = None) -> int:
    """Write DIR/report; print the path of its index.html."""
    options = _parser().parse_args(argv)

    from rich.console import Console
    from rich.progress import track

    from analysis.report import ReportOptions, write_report, write_sweep_report
    from analysis.resampling import Settings
    from analysis.results import load_runs, with_reference
    from analysis.sweep_results import is_sweep
    from auralsam2.config import parse_overrides

    out = options.out or options.folder / "report"
    if is_sweep(options.folder):
        print(write_sweep_report(options.folder, out)[0])
        return 0
    results = load_runs(
        options.folder,
        allow_mixed_data=options.allow_mixed_data,
        mix_label_sources=options.mix_label_sources,
    )
    if options.reference is not None:
        results = with_reference(results, options.reference)
    shown = ReportOptions(
        num_clips=options.clips,
        overrides=parse_overrides(options.set),
        again=options.again,
        settings=Settings(num_resamples=options.resamples),
        progress=partial(track, description="cells", console=Console(stderr=True)),
    )
    paths = write_report(results, options.folder, out, shown)
    for note in results.notes:
        print(f"note: {note}")
    print(paths[0])
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("folder", type=Path, metavar="DIR", help="with run folders below it")
    add("--out", type=Path, metavar="DIR", help="of the pages; default: DIR/report")
    clips = "worst ones, and as many best ones (default: 3)"
    add("--clips", type=_count, default=3, metavar="N", help=clips)
    overrides = "overrides of the runs' configs where masks are made, e.g. data.root=..."
    add("--set", nargs="+", default=[], metavar="KEY=VALUE", help=overrides)
    add("--again", action="store_true", help="make masks anew")
    add("--reference", metavar="CELL", help="to compare with; default: the grid's own")
    add("--resamples", type=int, default=9_999, metavar="N", help="of bootstrap and permutations")
    add("--allow-mixed-data", action="store_true", help="let runs on different data stand together")
    releases = "let runs with labels of different releases stand together"
    add("--mix-label-sources", action="store_true", help=releases)
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"got {number}; wanted 0 or more")
    return number


if __name__ == "__main__":
    raise SystemExit(main())
