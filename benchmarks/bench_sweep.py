"""Wall time of the same trials of a sweep, several at once against one at a time.

python benchmarks/bench_sweep.py DATA
python benchmarks/bench_sweep.py DATA --trials 8 --at-once 4 --epochs 3

On a machine with a GPU the trials share it. Trials are drawn at random and none is pruned, so both
ways train the same configs; that their scores agree is checked (on a GPU up to its own noise).
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from ablations.driver import trains_on_gpu
from ablations.executors.local import LocalExecutor
from ablations.sweeps.run_sweep import run_sweep
from ablations.sweeps.storage import StorageAddress
from ablations.sweeps.sweep_file import load_sweep


def timed(options: argparse.Namespace, at_once: int, out: Path) -> tuple[float, list[float]]:
    """Return the seconds of all trials, and their scores."""
    overrides = {
        "data.root": str(options.data.resolve()),
        "optim.epochs": options.epochs,
        "data.batch_size": options.batch_size,
        "evaluation.num_saved_clips": 0,
        "runtime.tensorboard": False,
    }
    sweep = load_sweep(options.space, overrides=overrides, sampler="random", pruner="none", out=out)
    began = time.monotonic()
    executor = LocalExecutor(at_once, options.threads)
    run_sweep(sweep, StorageAddress.of(None, out), executor, options.trials)
    seconds = time.monotonic() - began
    with (out / "trials.csv").open(encoding="utf-8") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: int(row["number"]))
    return seconds, [float(row[sweep.objectives[0].metric] or "nan") for row in rows]


def main(argv: Sequence[str] | None = None) -> None:
    """Print a line for each way, and the ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="clips in the layout of the sweep's base")
    parser.add_argument("--space", default="fuser_mini")
    parser.add_argument("--trials", type=int, default=4)
    parser.add_argument("--at-once", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--threads", type=int, help="of each process; default: cores / processes")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        ways = {count: Path(folder) / str(count) for count in (1, options.at_once)}
        found = {count: timed(options, count, out) for count, out in ways.items()}
    one, many = found[1], found[options.at_once]
    for count, (seconds, _) in found.items():
        each = seconds / options.trials
        print(f"{count} at a time: {seconds:7.1f} s, {each:6.1f} s a trial")
    apart = max((abs(a - b) for a, b in zip(one[1], many[1])), default=0.0)
    where = "GPU" if trains_on_gpu([load_sweep(options.space).cfg]) else "CPU"
    print(f"{one[0] / many[0]:.2f} times as fast on the {where}; scores differ by {apart:.2g}")


if __name__ == "__main__":
    main()
