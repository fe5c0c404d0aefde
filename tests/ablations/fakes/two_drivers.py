"""A driver that starts at a sign, so that two of them start together."""

import json
import sys
import time
from pathlib import Path

from fake_training import work

from ablations.driver import run_grid
from ablations.executors import InlineExecutor
from ablations.grid_file import load_grid
from ablations.plan import make_plan


def slow_work(item, progress, **how):
    """Leave the other driver time to come across what this one does."""
    progress = Slow(progress)
    return work(item, progress, **how)


class Slow:
    def __init__(self, progress) -> None:
        self.progress = progress

    def __getattr__(self, name: str):
        return getattr(self.progress, name)

    def step(self, *arguments: object) -> None:
        time.sleep(0.05)
        self.progress.step(*arguments)


def main(grid: str, out: Path, name: str) -> None:
    loaded = load_grid(grid)
    plan = make_plan(loaded, out=out, check=lambda cfg: None, fingerprint=lambda cfg: "data")
    (out.parent / f"{name}.ready").touch()
    while not (out.parent / "start").exists():
        time.sleep(0.001)
    result = run_grid(loaded, plan, InlineExecutor(), work=slow_work)
    told = {
        how: [run.label for run in getattr(result, how)]
        for how in ("finished", "elsewhere", "skipped")
    }
    temporary = out.parent / f".{name}.json"
    temporary.write_text(json.dumps(told))
    temporary.rename(out.parent / f"{name}.json")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
