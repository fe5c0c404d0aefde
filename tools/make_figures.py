"""Draw the figures of a grid's runs or of a sweep, each with the numbers it shows.

Examples:
    auralsam2 make-figures work_dirs/demo
    auralsam2 make-figures work_dirs/fuser_mini
    auralsam2 make-figures work_dirs/demo --clips 1
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path


def main(argv: Sequence[str] | None = None) -> int:
    """Write figures/*.{pdf,png,csv}; print their paths."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="with run folders below it")
    parser.add_argument("--clips", type=int, default=2, help="clips on the qualitative sheet")
    parser.add_argument(
        "--allow-mixed-data", action="store_true", help="let runs on different data stand together"
    )
    parser.add_argument(
        "--mix-label-sources",
        action="store_true",
        help="let runs with labels of different releases stand together",
    )
    options = parser.parse_args(argv)

    from analysis.figures import grid_points, qualitative, sweep
    from analysis.results import load_runs, write_csv
    from analysis.sweep_results import is_sweep

    if is_sweep(options.folder):
        print("\n".join(map(str, sweep.make(options.folder, options.folder / "figures"))))
        return 0
    results = load_runs(
        options.folder,
        allow_mixed_data=options.allow_mixed_data,
        mix_label_sources=options.mix_label_sources,
    )
    folder = options.folder / "figures"
    paths = [write_csv(results, options.folder / "results.csv")]
    paths += grid_points.make(results, folder)
    sheet = qualitative.make(results, folder, num_clips=options.clips)
    for note in results.notes:
        print(f"note: {note}")
    if not sheet:
        print("note: no run has saved predictions: no qualitative sheet")
    print("\n".join(map(str, [*paths, *sheet])))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
