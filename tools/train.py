"""Train one config and test it once.

Examples:
    auralsam2 train auralsam2/mini_v1m
    auralsam2 train auralsam2/mini_v1m --set data.root=data/AVSBench seed=1 --out work_dirs/seed1
    auralsam2 train auralsam2/hiera_tiny_v1m --set model.backbone.checkpoint=/models/sam2.pt
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path


def main(argv: Sequence[str] | None = None) -> int:
    """Run or resume a training; print its scores."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", help="a name or a path in .py")
    parser.add_argument("--out", type=Path, help="run folder; default: WORK_DIR/NAME-HASH")
    parser.add_argument(
        "--set", nargs="+", default=[], metavar="KEY=VALUE", help="overrides, applied in order"
    )
    options = parser.parse_args(argv)

    from auralsam2.config import config_hash, load, parse_overrides
    from auralsam2.engine.preflight import check_weights

    cfg = load(options.config, parse_overrides(options.set))
    check_weights(cfg)
    name = f"{Path(options.config).stem}-s{cfg.seed}-{config_hash(cfg)[:8]}"
    run_dir = options.out or Path(cfg.runtime.work_dir) / name

    from auralsam2.engine.train import train

    record = train(cfg, run_dir)
    for split, scores in record.metrics.items():
        print(f"{split}: " + ", ".join(f"{k} {v:.4f}" for k, v in scores.items()))
    print(f"record: {run_dir / 'record.json'}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
