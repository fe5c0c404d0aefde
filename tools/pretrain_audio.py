"""Train the embedded audio encoder to name the sources of synthetic sounds.

Examples:
    auralsam2 pretrain-audio work_dirs/log-mel-cnn
    auralsam2 pretrain-audio work_dirs/log-mel-cnn --clips 6000 --width 32
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path


def main(argv: Sequence[str] | None = None) -> int:
    """Train, export safetensors, and measure on fresh clips."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, help="folder for weights and scores")
    parser.add_argument("--clips", type=int, default=1600, help="clips of five seconds")
    parser.add_argument("--width", type=int, default=16, help="of the LogMelCNN")
    parser.add_argument("--lr", type=float, default=2e-3, help="peak learning rate")
    parser.add_argument("--workers", type=int, default=1, help="processes that synthesise")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    if options.clips < 16:
        raise ValueError(f"--clips must be at least 16, one batch; got {options.clips}")

    from auralsam2.engine.pretrain_audio import pretrain_audio

    started = time.monotonic()
    weights, scores = pretrain_audio(
        options.out,
        clips=options.clips,
        width=options.width,
        lr=options.lr,
        workers=options.workers,
        seed=options.seed,
    )
    report = {"weights": weights.name, "seconds": round(time.monotonic() - started, 1)}
    report |= scores._asdict()
    (options.out / "scores.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(f"right labels {scores.labels:.3f}, seconds with all labels right {scores.exact:.3f}")
    print(f"weights: {weights}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
