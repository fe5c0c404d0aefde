"""Judge what a paper asserts by finished runs: supported, contradicted or undecided.

Claims are a file (docs/claims.md): --claims, else DIR/claims.py, else the shipped ones of the grid,
else the AuralSAM2 paper's. Undecided ones say how many more seeds or clips would decide them.

Exit status: 0 where all claims are supported, 1 where one is contradicted, 2 where DIR or FILE is
wrong, 3 where one is undecided, 4 where one names what DIR has not (cells, splits, metrics); where
several are so, 1 goes before 4, and 4 before 3.

Examples:
    auralsam2 check-claims work_dirs/demo
    auralsam2 check-claims work_dirs --claims my_claims.py --alpha 0.01
    auralsam2 check-claims work_dirs/paper/arms --claims paper_mini --json | jq .verdicts
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from analysis.options import add_mixing, read_runs, tell
from auralsam2.command_line import Parser, Real, input_path, output_folder, run_file, table_console


def main(argv: Sequence[str] | None = None) -> int:
    """Print the verdicts, and return the exit status."""
    options = _parser().parse_args(argv)

    from analysis.claims.file import claims_for, load_claims
    from analysis.claims.judge import judge_grids
    from analysis.claims.table import caption, notes, to_json, to_rich, write_claims
    from auralsam2.config import names
    from auralsam2.text_files import json_text

    claims = load_claims(options.claims) if options.claims else claims_for(options.folder)
    if claims is None:
        known = ", ".join(name.removeprefix("claims/") for name in names("claims/"))
        raise ValueError(
            f"no claims are about '{options.folder}': write {options.folder}/claims.py, or name a "
            f"file or shipped claims (--claims; there are: {known})"
        )
    judged = judge_grids(claims, _grids(options), options.alpha)
    paths = write_claims(judged, options.out, options.folder) if options.out else []
    if options.json:
        print(json_text(to_json(judged, options.folder)), end="")
        return judged.status
    table_console().print(to_rich(judged))
    print(caption(judged))
    of_runs = [note for results in judged.grids.values() for note in results.notes]
    tell([*notes(judged), *dict.fromkeys(of_runs)], paths)
    return judged.status


def _grids(options: argparse.Namespace) -> dict[str, Any]:
    """Return the runs of the grid, or of every grid below the folder, by the folder's name."""
    from analysis.paper.source import GRID, find_sources

    found = [source for source in find_sources(options.folder) if source.kind == GRID]
    if not found:
        raise ValueError(f"no grid below '{options.folder}'")
    return {source.name: read_runs(options, source.path) for source in found}


def _parser() -> Parser:
    parser = Parser(__doc__)
    add = parser.add_argument
    add("folder", type=input_path, metavar="DIR", help="a grid, or a folder with grids below it")
    add("--claims", metavar="NAME|FILE", help="shipped claims, or the path of a file")
    alpha = "chance that any claim is judged wrongly, at most; default: the file's (0.05)"
    add("--alpha", type=Real(above=0), metavar="A", help=alpha)
    add("--out", type=output_folder, metavar="DIR", help="write claims.{md,tex,json} there")
    add("--json", action="store_true", help="print JSON with every number and the runs behind it")
    add_mixing(parser)
    return parser


if __name__ == "__main__":
    run_file(__file__)
