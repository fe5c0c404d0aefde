"""Write the table of a grid's runs: Markdown, LaTeX, CSV, and where each entry comes from.

Examples:
    auralsam2 make-tables work_dirs/demo
    auralsam2 make-tables work_dirs/demo --difference
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path


def main(argv: Sequence[str] | None = None) -> int:
    """Write results.csv and table.{md,tex,csv,provenance.json}; print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="with run folders below it")
    parser.add_argument(
        "--difference", action="store_true", help="compare with the grid's reference cell"
    )
    parser.add_argument(
        "--allow-mixed-data", action="store_true", help="let runs on different data stand together"
    )
    parser.add_argument(
        "--mix-label-sources",
        action="store_true",
        help="let runs with labels of different releases stand together",
    )
    options = parser.parse_args(argv)

    from rich.console import Console

    from analysis.results import load_runs, write_csv
    from analysis.tables import footnote, make_table, to_rich, write_tables

    results = load_runs(
        options.folder,
        allow_mixed_data=options.allow_mixed_data,
        mix_label_sources=options.mix_label_sources,
    )
    table = make_table(results, difference=options.difference)
    paths = [write_csv(results, options.folder / "results.csv")]
    paths += write_tables(table, options.folder)
    Console().print(to_rich(table))
    print(footnote(table))
    for note in results.notes:
        print(f"note: {note}")
    print("\n".join(map(str, paths)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
