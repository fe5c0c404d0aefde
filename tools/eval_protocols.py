"""Score a model by every protocol of the field side by side, in one pass.

J, F and S per clip (ours), per batch (the benchmarks) and per data set, J at thresholds 0.5 and
0.4, S with and without root; for each decode mode; at native size, at 224 pixels (AVSBench), and at
256 with the truth widened by its resizing (Ref-AVS). A line a row says what it does.

Examples:
    auralsam2 eval-protocols work_dirs/demo/runs/dense-s0-1a2b3c4d5e
    auralsam2 eval-protocols RUN --sizes native 1024 256:widened --out protocols.csv
    auralsam2 eval-protocols auralsam2/mini_v1m --checkpoint best.safetensors
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from auralsam2.command_line import Parser, Whole, add_target, output_file, table_console

if TYPE_CHECKING:
    from auralsam2.engine.protocols import ProtocolRow


def main(argv: Sequence[str] | None = None) -> int:
    """Print a table per test split and size."""
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


def _parser() -> Parser:
    parser = Parser(__doc__)
    add_target(parser)
    sizes = "native, a side in pixels, or SIDE:widened (default: native 224 256:widened)"
    parser.add_argument("--sizes", nargs="+", metavar="SIZE", help=sizes)
    group = (
        "clips of a batch, for J_batch, F_batch and S_batch (default: 4); the last may be shorter "
        "and counts like the others"
    )
    parser.add_argument("--group-size", type=Whole(1), default=4, help=group)
    parser.add_argument("--out", type=output_file, help="also write one row per score as CSV")
    return parser


def _show(rows: Sequence[ProtocolRow]) -> None:
    from rich.table import Table

    from auralsam2.data.datasets.guarded import counted

    console = table_console()
    for split, size in dict.fromkeys((row.split, row.size) for row in rows):
        shown = [row for row in rows if (row.split, row.size) == (split, size)]
        decodes = list(dict.fromkeys(row.decode for row in shown))
        values = {(row.metric, row.decode): row.value for row in shown}
        clips = counted(shown[0].num_clips, shown[0].left_out)
        console.print(f"{split}, {clips}, masks compared at size {size}", highlight=False)
        table = Table()
        table.add_column("metric", no_wrap=True)
        for decode in decodes:
            table.add_column(decode.replace("_released", "\n(released)"), justify="right")
        for metric in dict.fromkeys(row.metric for row in shown):
            table.add_row(metric, *(f"{values[metric, decode]:.4f}" for decode in decodes))
        console.print(table)
    # Once below all tables: beside the scores it would leave them no room.
    for metric, meaning in dict.fromkeys((row.metric, row.meaning) for row in rows):
        print(f"{metric}: {meaning}")


if __name__ == "__main__":
    from auralsam2_tools.__main__ import run_file

    run_file(__file__)
