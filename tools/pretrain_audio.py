"""Train the embedded audio encoder to name the sources of synthetic sounds.

Examples:
    auralsam2 pretrain-audio work_dirs/log-mel-cnn
    auralsam2 pretrain-audio work_dirs/log-mel-cnn --clips 6000 --width 32
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

from auralsam2.command_line import Parser, Real, Whole, output_folder, run_file
from auralsam2.text_files import write_text


def main(argv: Sequence[str] | None = None) -> int:
    """Train, export safetensors, and measure on fresh clips."""
    parser = Parser(__doc__)
    parser.add_argument("out", type=output_folder, help="folder for weights and scores")
    clips = "clips of five seconds, at least one batch of 16"
    parser.add_argument("--clips", type=Whole(16), default=1600, help=clips)
    parser.add_argument("--width", type=Whole(1), default=16, help="of the LogMelCNN")
    parser.add_argument("--lr", type=Real(above=0), default=2e-3, help="peak learning rate")
    parser.add_argument("--workers", type=Whole(1), default=1, help="processes that synthesise")
    parser.add_argument("--seed", type=Whole(0), default=0)
    options = parser.parse_args(argv)

    from auralsam2.engine.pretraining.log_mel_cnn import pretrain_audio

    started = time.monotonic()
    weights, scores = pretrain_audio(**vars(options))
    report = {"weights": weights.name, "seconds": round(time.monotonic() - started, 1)}
    report |= scores._asdict()
    write_text(options.out / "scores.json", json.dumps(report, indent=1) + "\n")
    print(f"right labels {scores.labels:.3f}, seconds with all labels right {scores.exact:.3f}")
    print(f"weights: {weights}")
    return 0


if __name__ == "__main__":
    run_file(__file__)
