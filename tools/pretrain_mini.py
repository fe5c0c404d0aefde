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

from auralsam2.command_line import Parser, Real, Whole, input_path, output_folder
from auralsam2.text_files import write_text


def main(argv: Sequence[str] | None = None) -> int:
    """Train or resume, export half-precision safetensors, and measure them on fresh clips."""
    parser = Parser(__doc__)
    parser.add_argument("out", type=output_folder, help="run folder")
    parser.add_argument("--image-size", type=Whole(1), default=128, help="pixels (default: 128)")
    parser.add_argument("--epochs", type=Whole(1), default=18, help="of --steps each (default: 18)")
    parser.add_argument("--steps", type=Whole(1), default=100, help="a epoch (default: 100)")
    parser.add_argument("--items", type=Whole(1), default=4, help="4 images and 1 clip each")
    parser.add_argument("--lr", type=Real(above=0), default=8e-4, help="peak learning rate")
    parser.add_argument("--workers", type=Whole(1), default=1, help="rendering processes")
    parser.add_argument("--threads", type=Whole(1), help="CPU threads of the trainer")
    parser.add_argument("--seed", type=Whole(0), default=0)
    parser.add_argument(
        "--device", default="auto", help="auto, cpu, cuda or cuda:N (default: auto)"
    )
    parser.add_argument("--amp", action="store_true", help="bfloat16, for a GPU")
    parser.add_argument("--init", type=input_path, help="start from these weights (safetensors)")
    parser.add_argument(
        "--score-clips", type=Whole(1), default=200, help="fresh clips to measure on"
    )
    parser.add_argument("--scores-only", action="store_true", help="measure what was exported")
    options = parser.parse_args(argv)

    from auralsam2.engine.pretrain import pretrain, score_exported

    exported = options.out / "sam2-mini.safetensors"
    started = time.monotonic()
    if not options.scores_only:
        exported = pretrain(
            options.out,
            image_size=options.image_size,
            epochs=options.epochs,
            steps_per_epoch=options.steps,
            items=options.items,
            lr=options.lr,
            workers=options.workers,
            seed=options.seed,
            threads=options.threads,
            amp=options.amp,
            init=options.init,
            device=options.device,
        )
    scores = score_exported(exported, options.image_size, options.score_clips)
    report = {"weights": exported.name, "mean_iou": scores, "clips": options.score_clips}
    report["seconds"] = round(time.monotonic() - started, 1)
    write_text(options.out / "scores.json", json.dumps(report, indent=2))
    for kind, value in scores.items():
        print(f"{kind}: {value:.4f}")
    print(f"weights: {exported}")
    return 0


if __name__ == "__main__":
    from auralsam2_tools.__main__ import run_file

    run_file(__file__)
