"""Train sam2-mini on promptable segmentation of synthetic images and clips.

Examples:
    auralsam2 pretrain-mini work_dirs/sam2-mini
    auralsam2 pretrain-mini work_dirs/sam2-mini --epochs 60 --amp --workers 8   # on a GPU
    auralsam2 pretrain-mini work_dirs/sam2-mini --scores-only

An interrupted training goes on at its last epoch when the same command is given again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

from auralsam2.command_line import Parser, Real, Whole, input_path, output_folder, run_file
from auralsam2.text_files import write_text


def main(argv: Sequence[str] | None = None) -> int:
    """Train or resume, export half-precision safetensors, and measure them on fresh clips."""
    stated = vars(_parser().parse_args(argv))
    out, clips, scores_only = (stated.pop(name) for name in ("out", "score_clips", "scores_only"))

    from auralsam2.engine.pretraining.sam2_mini import EXPORTED, Recipe, pretrain, score_exported

    recipe, started = Recipe(**stated), time.monotonic()
    exported = out / EXPORTED if scores_only else pretrain(out, recipe)
    scores = score_exported(exported, recipe.image_size, clips)
    report = {"weights": exported.name, "mean_iou": scores, "clips": clips}
    report["seconds"] = round(time.monotonic() - started, 1)
    write_text(out / "scores.json", json.dumps(report, indent=2))
    for kind, value in scores.items():
        print(f"{kind}: {value:.4f}")
    print(f"weights: {exported}")
    return 0


def _parser() -> Parser:
    """Options by the names of the recipe's settings, and what is done with them."""
    parser = Parser(__doc__)
    add, whole = parser.add_argument, Whole(1)
    add("out", type=output_folder, help="run folder")
    add("--image-size", type=whole, default=128, help="pixels (default: 128)")
    add("--epochs", type=whole, default=18, help="of --steps each (default: 18)")
    steps = "of an epoch (default: 100)"
    add("--steps", type=whole, default=100, metavar="N", help=steps, dest="steps_per_epoch")
    add("--items", type=whole, default=4, help="4 images and 1 clip each")
    add("--lr", type=Real(above=0), default=8e-4, help="peak learning rate")
    add("--workers", type=whole, default=1, help="rendering processes")
    add("--threads", type=whole, help="CPU threads of the trainer")
    add("--seed", type=Whole(0), default=0)
    add("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: auto)")
    add("--amp", action="store_true", help="bfloat16, for a GPU")
    add("--init", type=input_path, help="start from these weights (safetensors)")
    add("--score-clips", type=whole, default=200, help="fresh clips to measure on")
    add("--scores-only", action="store_true", help="measure what was exported")
    return parser


if __name__ == "__main__":
    run_file(__file__)
