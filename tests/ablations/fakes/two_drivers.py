"""A driver that starts at a sign, so that two of them start together."""

import json
import pickle
import sys
import time
from pathlib import Path

from fake_training import work

from ablations.executors.local import InlineExecutor
from ablations.grids.file import load_grid
from ablations.run_grid import run_grid
from auralsam2.engine.progress import Forwarding


def slow_work(item, progress, **how):
    """Leave the other driver time to come across what this one does."""
    return work(item, Slow(progress), **how)


class Slow(Forwarding):
    def step(self, *arguments: object) -> None:
        time.sleep(0.05)
        super().step(*arguments)


def main(grid: str, plan: Path, name: str) -> None:
    """``plan``: a pickle, so that no driver has to import torch to check configs."""
    loaded, folder = load_grid(grid), plan.parent
    planned = pickle.loads(plan.read_bytes())
    (folder / f"{name}.ready").touch()
    while not (folder / "start").exists():
        time.sleep(0.001)
    result = run_grid(loaded, planned, InlineExecutor(), work=slow_work)
    told = {
        how: [run.label for run in getattr(result, how)]
        for how in ("finished", "elsewhere", "skipped")
    }
    temporary = folder / f".{name}.json"
    temporary.write_text(json.dumps(told))
    temporary.rename(folder / f"{name}.json")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
