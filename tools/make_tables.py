"""Write the table of grids or runs: Markdown, LaTeX, CSV, and where each entry comes from.

Where runs were clicked on (evaluation.clicks), also a table of that for every metric; of grids with
several axes one of main effects and interactions (effects.*).

Examples:
    auralsam2 make-tables work_dirs/demo
    auralsam2 make-tables work_dirs/demo --difference --spread interval --columns params,fps
    auralsam2 make-tables work_dirs/a work_dirs/b --reference 'a: none' --out paper/tables
    auralsam2 make-tables work_dirs/demo --scores test:J test_audio_silence:J --reported other.json
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from analysis.options import add_mixing, read_runs, tell
from analysis.runs.measures import columns_in_words
from auralsam2.command_line import Parser, input_path, output_folder, run_file, table_console


def main(argv: Sequence[str] | None = None) -> int:
    """Write results.csv and table.{md,tex,csv,provenance.json}; print the table."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.out is None and len(options.folders) > 1:
        parser.error("several folders: say where the table goes (--out DIR)")
    out = output_folder(options.out or options.folders[0])

    from analysis import tables
    from analysis.runs.results import write_csv

    table = _table(options)
    clicked = tables.click_tables(table.results, spread=options.spread, settings=table.settings)
    paths = [write_csv(table.results, out / "results.csv"), *tables.write_tables(table, out)]
    console = table_console()
    said: list[str] = []
    for shown in (table, *clicked.values()):
        console.print(tables.to_rich(shown, console.width))
        print(tables.footnote(shown))
        said += [note for note in tables.notes(shown) if note not in said]
    paths += tables.write_click_tables(clicked, out)
    tell(said, paths + tables.write_effects(table.results, out, table.settings))
    return 0


def _table(options: argparse.Namespace) -> Any:
    from analysis.runs.reported import load_reported
    from analysis.statistics.crossed_means import CLIPS, CLIPS_AND_SEEDS, Settings
    from analysis.statistics.significance import can_be_tested
    from analysis.tables import make_table

    reported = [row for path in options.reported for row in load_reported(path)]
    results = read_runs(options, options.folders)
    results = replace(results, title=options.title or results.title)
    return make_table(
        results,
        difference=options.difference,
        significance=not options.no_significance and can_be_tested(results),
        spread=options.spread,
        columns=[name for text in options.columns for name in text.split(",") if name],
        scores=options.scores,
        reported=reported,
        settings=Settings(over=CLIPS if options.clips_alone else CLIPS_AND_SEEDS),
    )


def _parser() -> Parser:
    parser = Parser(__doc__)
    add = parser.add_argument
    add("folders", type=input_path, nargs="+", metavar="DIR", help="with run folders below it")
    add("--out", type=output_folder, metavar="DIR", help="of the files; default: the one folder")
    add("--title", metavar="TEXT", help="above the table; default: the grid's own")
    add("--reference", metavar="CELL", help="to compare with; default: the grid's own")
    add("--difference", action="store_true", help="show differences from the reference cell")
    add("--no-significance", action="store_true", help="test nothing against the reference")
    add("--spread", choices=("std", "interval"), default="std", help="behind each mean")
    several: dict[str, Any] = {"nargs": "+", "default": []}
    beside = f"beside the scores: {columns_in_words()}"
    add("--columns", metavar="NAME", help=beside.replace("%", "%%"), **several)
    shown = "columns to show, in order; default: all that say something"
    add("--scores", metavar="SPLIT:METRIC", help=shown, **several)
    papers = "numbers of other papers (JSON; docs/statistics.md)"
    add("--reported", type=input_path, metavar="FILE", help=papers, **several)
    alone = "intervals and tests for these trained models; default: for training anew, too"
    add("--clips-alone", action="store_true", help=alone)
    add_mixing(parser)
    return parser


if __name__ == "__main__":
    run_file(__file__)
