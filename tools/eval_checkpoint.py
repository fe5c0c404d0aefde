"""Score trained weights on the test splits of a config: a run again, or weights from elsewhere.

Examples:
    auralsam2 eval-checkpoint work_dirs/demo/runs/dense-s0-1a2b3c4d5e
    auralsam2 eval-checkpoint RUN --set data.root=data/AVSBench evaluation.decode=first
    auralsam2 eval-checkpoint RUN --json scores.json
    auralsam2 eval-checkpoint auralsam2/released/v1m --checkpoint converted.safetensors
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path


def main(argv: Sequence[str] | None = None) -> int:
    """Evaluate the selected weights of a run folder, or a checkpoint under a config."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", help="a run folder, or a config by name or path")
    parser.add_argument("--checkpoint", type=Path, help="other weights than the run's own")
    parser.add_argument(
        "--set", nargs="+", default=[], metavar="KEY=VALUE", help="overrides, applied in order"
    )
    parser.add_argument("--json", type=Path, help="also write the scores, one entry a clip")
    options = parser.parse_args(argv)

    from auralsam2.config import load, parse_overrides
    from auralsam2.engine.run_target import find_target

    config, checkpoint = find_target(options.run, options.checkpoint)
    cfg = load(config, parse_overrides(options.set))
    if checkpoint is None:
        print("no trained weights: the model is taken as built")

    from auralsam2.engine.evaluate import evaluate

    result = evaluate(cfg, checkpoint)
    for split, scores in result.splits.items():
        print(f"{split}: " + ", ".join(f"{k} {v:.4f}" for k, v in scores.metrics.items()))
    if options.json:
        plain = {split: scores._asdict() for split, scores in result.splits.items()}
        options.json.write_text(json.dumps(plain, indent=2), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
