"""Score a model as every repository of the field would, and by every protocol, in one pass.

First a column a repository: J and F (S where nothing is to be segmented) with its threshold,
grouping, rule for empty frames and size of comparison, so that a number can stand beside the
paper it is compared with. Then J, F and S per clip (ours), per batch and per data set, J at
thresholds 0.5 and 0.4, S with and without root, for each decode mode, at each of the sizes. Lines
below the tables say what each does.

Examples:
    auralsam2 eval-protocols work_dirs/demo/runs/dense-s0-1a2b3c4d5e
    auralsam2 eval-protocols RUN --sizes native 1024 256:widened --out protocols.csv
    auralsam2 eval-protocols auralsam2/mini_v1m --checkpoint best.safetensors
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from auralsam2 import command_line as cli

if TYPE_CHECKING:
    from auralsam2.engine.protocols import ProtocolRow


def main(argv: Sequence[str] | None = None) -> int:
    """Print a table of repositories per test split, and one per split and size."""
    options = _parser().parse_args(argv)

    from auralsam2.config import load, parse_overrides
    from auralsam2.engine.evaluate import trained_model
    from auralsam2.engine.protocols import SIZES, Comparison, evaluate_protocols, write_rows
    from auralsam2.engine.run_folder import find_target
    from auralsam2.engine.splits import test_datasets

    sizes = SIZES if options.sizes is None else [Comparison.parse(s) for s in options.sizes]
    config, checkpoint = find_target(options.run, options.checkpoint)
    cfg = load(config, parse_overrides(options.set))
    if checkpoint is None:
        print("no trained weights: the model is taken as built")
    model, datasets = trained_model(cfg, checkpoint), test_datasets(cfg)
    rows = evaluate_protocols(model, cfg, datasets, sizes=sizes, group_size=options.group_size)
    _show(rows)
    if options.out:
        write_rows(rows, options.out)
    return 0


def _parser() -> cli.Parser:
    parser = cli.Parser(__doc__)
    cli.add_target(parser)
    sizes = "native, a side in pixels, or SIDE:widened (default: native 224 256:widened)"
    parser.add_argument("--sizes", nargs="+", metavar="SIZE", help=sizes)
    group = "clips of a batch (default: 4); the last may be shorter and counts like the others"
    parser.add_argument("--group-size", type=cli.Whole(1), default=4, help=group)
    parser.add_argument("--out", type=cli.output_file, help="also write one row per score as CSV")
    return parser


def _show(rows: Sequence[ProtocolRow]) -> None:
    from auralsam2.data.datasets.guarded import counted
    from auralsam2.metrics.repositories import REPOSITORIES, SEPARATOR

    console = cli.table_console()
    generic = [row for row in rows if SEPARATOR not in row.metric]
    for split in dict.fromkeys(row.split for row in rows):
        own = [row for row in rows if row.split == split and SEPARATOR in row.metric]
        clips = counted(own[0].num_clips, own[0].left_out)
        print(f"{split}, {clips}, as each repository scores, decode mode {own[0].decode}")
        console.print(cli.table_of(_repositories(own, SEPARATOR)))
        there = {row.metric.partition(SEPARATOR)[0] for row in own}
        for left_out in (r for r in REPOSITORIES if r.of_classes and r.name not in there):
            print(
                f"no column {left_out.name}: it scores classes, which take a method with a class "
                "head and data of classes (semantic=True)"
            )
    for split, size in dict.fromkeys((row.split, row.size) for row in generic):
        shown = [row for row in generic if (row.split, row.size) == (split, size)]
        clips = counted(shown[0].num_clips, shown[0].left_out)
        print(f"{split}, {clips}, masks compared at size {size}")
        heads = {row.decode: row.decode.replace("_released", "\n(released)") for row in shown}
        console.print(cli.table_of({(r.metric, heads[r.decode]): f"{r.value:.4f}" for r in shown}))
    # Once below all tables: beside the scores it would leave them no room.
    named = ((row.metric.partition(SEPARATOR)[0], row.meaning) for row in rows)
    for name, meaning in dict.fromkeys(named):
        print(f"{name}: {meaning}")


def _repositories(rows: Sequence[ProtocolRow], separator: str) -> dict[tuple[str, str], str]:
    sizes, scores = {}, {}
    for row in rows:
        name, letter = row.metric.split(separator)
        sizes["px", name] = row.size.removesuffix(":widened")
        scores[letter, name] = f"{row.value:.4f}"
    return sizes | dict(sorted(scores.items(), key=lambda score: "JFS".index(score[0][0])))


if __name__ == "__main__":
    cli.run_file(__file__)
