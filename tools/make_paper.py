"""Make all tables, figures and pages of a paper from finished grids and sweeps, by a recipe.

Every grid and sweep below DIR gets a folder in DIR/paper; manifest.md says what each file is made
of and by which command. What is there and still right is kept.

Examples:
    auralsam2 make-paper work_dirs
    auralsam2 make-paper work_dirs --recipe my_paper.py --out paper --jobs 4
    auralsam2 make-paper work_dirs/demo --partial --set data.root=/elsewhere/AVSBench
"""

from __future__ import annotations

from collections.abc import Sequence

from analysis.options import tell, tracking
from auralsam2.command_line import Parser, Whole, add_overrides, input_path, output_folder, run_file


def main(argv: Sequence[str] | None = None) -> int:
    """Write DIR/paper; exit with 1 where something that the recipe states could not be made."""
    options = _parser().parse_args(argv)

    from analysis.paper.make import make_paper
    from analysis.paper.part import load_recipe
    from analysis.paper.source import find_sources
    from auralsam2.config import parse_overrides

    recipe = load_recipe(options.recipe)
    sources = find_sources(
        options.folder,
        overrides=parse_overrides(options.set),
        again=options.again,
        jobs=options.jobs,
        track=tracking("  ", transient=True),
    )
    out = output_folder(options.out or options.folder / "paper")
    how = dict(again=options.again, partial=options.partial)
    paper = make_paper(sources, recipe, out, **how)
    tell(paper.notes, [])
    for problem in paper.problems:
        print(f"MISSING {problem}")
    tell([], paper.paths)
    return 1 if paper.problems else 0


def _parser() -> Parser:
    parser = Parser(__doc__)
    add = parser.add_argument
    add("folder", type=input_path, metavar="DIR", help="with grids and sweeps below it")
    recipe = "a shipped recipe, or the path of one (default: paper)"
    add("--recipe", default="paper", metavar="NAME|FILE", help=recipe)
    add("--out", type=output_folder, metavar="DIR", help="of the paper; default: DIR/paper")
    add("--jobs", type=Whole(1), default=1, metavar="N", help="runs measured at once (default: 1)")
    add("--again", action="store_true", help="also what is there already")
    add("--partial", action="store_true", help="take grids with unfinished runs as they are")
    add_overrides(parser, "overrides of the runs' configs where data are read, e.g. data.root=...")
    return parser


if __name__ == "__main__":
    run_file(__file__)
