"""Seconds and records of the nine-cell fusion grid on mini, of two versions of the code.

python benchmarks/bench_grid.py --before ../before/.venv/bin/python
python benchmarks/bench_grid.py --before ../before/.venv/bin/python --epochs 2 --repeats 2
python benchmarks/bench_grid.py --before ../before/.venv/bin/python --options=--lockstep

Every fusion block of the grid `fusion` with its first seed, from the start of `run-grid` to its
table. Versions take turns, the order changes with every repeat, and each call is a process of its
own with one thread; of repeats, medians of wall and CPU seconds are shown. Records are compared
number by number: scores of splits and clips, curves, selection, parameters.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from versions import call

COMPARED = ("metrics", "per_clip", "curve", "best_epoch", "selection", "epochs", "num_parameters")
"""What of a record must not depend on how fast it came about."""


def main() -> None:
    """Print seconds of both versions, their ratio, and how far their records are apart."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--before", required=True, help="interpreter of the version to compare")
    parser.add_argument("--clips", default="60/10/20", help="train/val/test, as make-synthetic")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="processes of a grid (default: 1)")
    parser.add_argument("--options", nargs="*", default=[], help="of run-grid, of this version")
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    versions = {"before": options.before, "now": sys.executable}
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in versions}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        clips = ("--split", options.clips, "--seed", "7", "--classes", "8")
        call(sys.executable, "make-synthetic", str(data), "--layout", "v1m", *clips)
        shared = ("--base", "auralsam2/mini_v1m", "--seeds", "0", "--jobs", str(options.jobs))
        changes = ("--set", f"data.root={data}", f"optim.epochs={options.epochs}")
        for repeat in range(options.repeats):
            for name in list(versions)[:: -1 if repeat % 2 else 1]:
                out = Path(folder) / f"{name}{repeat}"
                own = options.options if name == "now" else []
                grid = ("run-grid", "fusion", "--out", str(out), *shared, *own, *changes)
                seconds[name].append(call(versions[name], *grid))
        found = {name: records(Path(folder) / f"{name}0") for name in versions}
    for name, times in seconds.items():
        wall, cpu = (statistics.median(column) for column in zip(*times, strict=True))
        print(f"{name:>7}: {wall:7.1f} s, {cpu:7.1f} CPU s, {len(found[name])} runs")
    for kind, index in (("wall", 0), ("CPU", 1)):
        medians = [statistics.median(t[index] for t in times) for times in seconds.values()]
        print(f"{kind}: {medians[0] / medians[1]:.2f} times as fast as before")
    tell(found["before"], found["now"])


def records(out: Path) -> dict[str, dict[str, Any]]:
    """What is compared of every run of a grid, by its name."""
    read = {p.parent.name: json.loads(p.read_text()) for p in out.rglob("record.json")}
    return {
        name.rsplit("-", 2)[0]: {key: record.get(key) for key in COMPARED}
        for name, record in read.items()
    }


def tell(before: dict[str, Any], now: dict[str, Any]) -> None:
    """Print how far two grids are apart; end with status 1 where it is more than rounding."""
    left, right = dict(leaves(before)), dict(leaves(now))
    if left.keys() != right.keys():
        raise SystemExit(f"records differ in what they hold: {sorted(left.keys() ^ right.keys())}")
    apart = {key: distance(left[key], right[key]) for key in left}
    worst = max(apart, key=lambda key: apart[key])
    differing = sum(value > 0 for value in apart.values())
    print(
        f"records: {differing} of {len(apart)} values differ, at most by {apart[worst]:.2g}"
        + f" ({worst})" * bool(differing)
    )
    sys.exit(apart[worst] > 1e-3)


def leaves(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """All values of a nest of lists and dicts, by their dotted path."""
    children = dict(enumerate(node)) if isinstance(node, list) else node
    if not isinstance(children, dict):
        yield path, node
        return
    for key, child in children.items():
        yield from leaves(child, f"{path}.{key}".lstrip("."))


def distance(one: Any, other: Any) -> float:
    """How far two values are apart; infinitely where they differ and are no numbers."""
    if one == other or (one != one and other != other):
        return 0.0
    numbers = all(isinstance(value, (int, float)) for value in (one, other))
    return abs(one - other) if numbers else math.inf


if __name__ == "__main__":
    main()
