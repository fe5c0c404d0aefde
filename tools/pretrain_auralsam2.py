"""Train the auralsam2-mini that comes with the package, on synthetic clips, and score it.

Examples:
    auralsam2 pretrain-auralsam2 work_dirs/auralsam2-mini

An interrupted training goes on at its last epoch when the same command is given again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from auralsam2.command_line import Parser, Whole, clip_bar, output_folder, run_file
from auralsam2.text_files import write_text


def main(argv: Sequence[str] | None = None) -> int:
    """Draw clips, train, export safetensors, and measure them."""
    parser = Parser(__doc__)
    parser.add_argument("out", type=output_folder, help="folder for clips, run and weights")
    parser.add_argument("--workers", type=Whole(1), default=1, help="processes that draw clips")
    keep = "go on with a training that other code has begun"
    parser.add_argument("--keep-code", action="store_true", help=keep)
    options = parser.parse_args(argv)

    from auralsam2.engine.pretraining.auralsam2_mini import COUNTS, pretrain_auralsam2

    with clip_bar() as bar:
        bar["on_start"](sum(COUNTS))
        card = pretrain_auralsam2(**vars(options), on_clip=bar["on_clip"])
    write_text(options.out / "scores.json", json.dumps(card, indent=1) + "\n")
    for sound, scores in card["metrics"].items():
        print(f"{sound}: " + ", ".join(f"{name} {value:.4f}" for name, value in scores.items()))
    print("guesses: " + ", ".join(f"{k} {v:.4f}" for k, v in card["guesses"].items()))
    print(f"weights: {options.out / card['weights']}")
    return 0


if __name__ == "__main__":
    run_file(__file__)
