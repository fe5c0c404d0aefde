"""Write synthetic audio-visual clips as real files in a benchmark's layout.

Examples:
    auralsam2 make-synthetic data/synthetic --layout v1m --clips 300 --seed 0
    auralsam2 make-synthetic data/small --split 20/5/10 --workers 2
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path


def main(argv: Sequence[str] | None = None) -> int:
    """Write, or go on with, a folder of clips."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, help="folder to write; set data.root to it")
    parser.add_argument("--layout", default="v1m", help="layout of the files (default: v1m)")
    parser.add_argument("--clips", type=int, default=300, help="split 70/10/20 (default: 300)")
    parser.add_argument("--split", help="clips of TRAIN/VAL/TEST instead, such as 200/30/60")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, default=224, help="side of the frames in pixels")
    parser.add_argument("--classes", type=int, help="only the first so many (default: all 12)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default: 2)")
    options = parser.parse_args(argv)

    from rich.progress import Progress

    from auralsam2.data.synthetic.writer import LAYOUTS, Plan, split_counts
    from auralsam2.suggestions import unknown_name

    if options.layout not in LAYOUTS:
        raise ValueError(unknown_name("layout", options.layout, sorted(LAYOUTS)))
    plan = Plan(options.layout, _counts(options, split_counts), options.seed, options.size)
    if options.classes is not None:
        plan = plan._replace(num_classes=options.classes)
    if not 4 <= plan.num_classes <= Plan._field_defaults["num_classes"]:
        raise ValueError(f"--classes must be from 4 to 12, got {plan.num_classes}")
    with Progress() as bars:
        task = bars.add_task(f"clips in {options.out}", total=sum(plan.counts))
        written = LAYOUTS[plan.layout](
            options.out, plan, options.workers, lambda: bars.advance(task)
        )
        bars.update(task, completed=sum(plan.counts))
    names = "/".join(str(n) for n in plan.counts)
    print(
        f"{names} clips (train/val/test) {'written to' if written else 'already in'} {options.out}"
    )
    return 0


def _counts(options: argparse.Namespace, default: object) -> tuple[int, int, int]:
    if options.size < 16 or options.workers < 1:
        raise ValueError(f"--size must be at least 16, --workers 1; got {options}")
    if options.split is None:
        if options.clips < 3:
            raise ValueError(f"--clips must be at least 3, one a split; got {options.clips}")
        return default(options.clips)  # type: ignore[operator,no-any-return]
    if not re.fullmatch(r"[1-9]\d*/[1-9]\d*/[1-9]\d*", options.split):
        raise ValueError(f"--split wants three counts such as 200/30/60, got {options.split!r}")
    train, val, test = (int(part) for part in options.split.split("/"))
    return train, val, test


if __name__ == "__main__":
    raise SystemExit(main())
