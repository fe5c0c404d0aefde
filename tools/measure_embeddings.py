"""Draw and measure the audio-visual space of a grid's runs: t-SNE of arms side by side, numbers.

Examples:
    auralsam2 measure-embeddings work_dirs/contrastive_mini
    auralsam2 measure-embeddings work_dirs/my_grid --cells none InfoNCE AudioCon --max-clips 100
    auralsam2 measure-embeddings work_dirs/my_grid --set data.root=/elsewhere/AVSBench
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path


def main(argv: Sequence[str] | None = None) -> int:
    """Write figures/embedding_*; print the companions' means and the paths."""
    options = _parser().parse_args(argv)

    from rich.console import Console
    from rich.progress import track

    from analysis.embedding_table import at_level, summarise
    from analysis.measured_embeddings import measure
    from analysis.results import load_runs
    from auralsam2.config import parse_overrides

    results = load_runs(options.folder)
    measured = measure(
        results,
        options.out or options.folder / "figures",
        cells=options.cells,
        split=options.split,
        per_kind=options.per_kind,
        max_clips=options.max_clips,
        level=options.level,
        perplexities=options.perplexities,
        again=options.again,
        overrides=parse_overrides(options.set),
        progress=partial(track, description="drawing points", console=Console(stderr=True)),
    )
    if not measured.paths:
        raise ValueError("\n".join(["no run has an audio-visual space", *measured.problems]))
    chosen = at_level(measured.companions, options.level)
    print(summarise(chosen, list(dict.fromkeys(chosen["space"]))[::-1]).to_string())
    for note in [*results.notes, *measured.problems]:
        print(f"note: {note}")
    print("\n".join(map(str, measured.paths)))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("folder", type=Path, metavar="DIR", help="of a grid, with finished runs")
    add("--out", type=Path, metavar="DIR", help="of the figures; default: DIR/figures")
    add("--cells", nargs="+", metavar="CELL", help="in the order of the panels; default: all")
    add("--split", default="test", help="whose clips (default: test)")
    add("--max-clips", type=int, metavar="N", help="the first clips of the split only")
    per_kind = "visual points a frame, on and off the object each (default: 16)"
    add("--per-kind", type=int, default=16, metavar="N", help=per_kind)
    level = "of the pyramid, 0 the finest, -1 the coarsest (default: -1)"
    add("--level", type=int, default=-1, metavar="L", help=level)
    perplexities = "of t-SNE; the one in the middle is drawn large (default: 15 30 60)"
    add("--perplexities", nargs="+", type=float, default=[15, 30, 60], help=perplexities)
    add("--again", action="store_true", help="draw points also where the runs' folders have them")
    overrides = "overrides of the runs' configs, e.g. data.root=..."
    add("--set", nargs="+", default=[], metavar="KEY=VALUE", help=overrides)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
