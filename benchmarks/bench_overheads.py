"""What a grid costs besides training: imports, expanding and planning, a process's way to its step.

python benchmarks/bench_overheads.py --repeats 5 --out overheads.csv

Every repeat is a new process, one at a time. Wall time hangs on what else a machine does, CPU time
hardly: of both, medians are shown, with the fastest and the slowest wall time. The training is the
smallest there is (mini model with random weights, 64 px), so that the time to its first step is
overhead. The second run of a process that the local executor keeps skips the imports.
"""

from __future__ import annotations

import argparse
import pickle
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from versions import taken, told

Seconds = tuple[float, float]
"""Wall time and CPU time."""
COLUMNS = {
    "wall, median": ("wall", "median"),
    "fastest": ("wall", "min"),
    "slowest": ("wall", "max"),
    "CPU, median": ("CPU", "median"),
}
GRID = """
base = "auralsam2/mini_v1m"
axes = {AXES}
overrides = {
    "data.root": "DATA",
    "data.batch_size": 2,
    "optim.epochs": 1,
    "runtime.tensorboard": False,
    "model.backbone": dict(type="SAM2Backbone", size="mini", random_weights=True),
    "model.audio_encoder": dict(type="LogMelCNN", width=8),
    "model.mask_loss.loss_size": 32,
}
"""
IMPORTS = {
    "import: python alone": "",
    "import: run record (grid-status)": "import auralsam2.engine.run_record",
    "import: plan of a grid": "import ablations.grids.plan",
    "import: torch": "import torch",
    "import: training": "import auralsam2.engine.train",
}
MANY = '{"optim.epochs": list(range(1, 101)), "optim.power": [i / 10 for i in range(1, 11)]}'
EXPAND = """
import json, sys, time
from ablations.grids.file import load_grid
def now(): return time.perf_counter(), time.process_time()
def since(then): return [b - a for a, b in zip(then, now())]
began = now()
grid = load_grid(sys.argv[1])
cells = grid.cells()
expanding = since(began)
from ablations.grids.plan import make_plan
from pathlib import Path
imported = now()
skipped = dict(check=lambda cfg: None, fingerprint=lambda cfg: "data")
plan = make_plan(grid, out=Path(sys.argv[2]), **skipped)
assert len(cells) == len(plan.runs) == 1000, plan.problems
print(json.dumps({
    "grid: read and expand 1,000 cells": expanding,
    "grid: plan 1,000 runs, configs resolved and checked": since(imported),
}))
"""
FIRST_STEP = """
import json, sys, time
marks = {}
def mark(name, since):
    marks[name] = [time.time() - since[0], time.process_time() - since[1]]
from ablations.runs.run_cell import run_cell
from auralsam2.engine.progress import Progress
class Clock(Progress):
    def __init__(self, name, since):
        self.name, self.since, self.told = name, since, False
    def start_run(self, total_steps, epochs):
        mark(f"{self.name}: start of training", self.since)
    def step(self, epoch, epochs, postfix):
        if not self.told:
            mark(f"{self.name}: end of its first step", self.since)
        self.told = True
import os, pickle
first, second = pickle.load(open(sys.argv[2], "rb"))
stdout = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
assert run_cell(first, Clock("new process", (float(sys.argv[1]), 0.0))).status == "done"
assert run_cell(second, Clock("kept process", (time.time(), time.process_time()))).status == "done"
os.write(stdout, json.dumps(marks).encode())
"""


def main() -> None:
    """Measure and print; also write CSV where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    seconds: list[tuple[str, float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        grids = _write_grids(Path(folder))
        for repeat in range(options.repeats):
            found = _one_repeat(Path(folder), grids, repeat)
            seconds += [(name, *times) for name, times in found.items()]
    by_what = pd.DataFrame(seconds, columns=["what", "wall", "CPU"]).groupby("what", sort=False)
    table = by_what.agg(**COLUMNS)
    print(f"seconds, {options.repeats} repeats\n{table.to_string(float_format='{:.2f}'.format)}")
    if options.out:
        table.to_csv(options.out)


def _write_grids(folder: Path) -> tuple[Path, Path]:
    from auralsam2.data.synthetic.writer import Plan, write_clips

    write_clips(folder / "data", Plan("v1m", (4, 1, 3), seed=3, size=64, num_frames=2))
    many, two = folder / "many.py", folder / "two.py"
    text = GRID.replace("DATA", str(folder / "data"))
    many.write_text(text.replace("{AXES}", MANY))
    two.write_text(text.replace("{AXES}", '{"optim.power": [0.9, 0.8]}'))
    return many, two


def _one_repeat(folder: Path, grids: tuple[Path, Path], repeat: int) -> dict[str, Seconds]:
    many, two = grids
    found = {name: taken(sys.executable, "-c", program) for name, program in IMPORTS.items()}
    found |= _told_by(EXPAND, many, folder / f"many{repeat}")
    runs = folder / f"runs{repeat}.pickle"
    _plan(two, folder / f"two{repeat}", runs)
    return found | _told_by(FIRST_STEP, time.time(), runs)


def _plan(grid: Path, out: Path, target: Path) -> None:
    from ablations.grids.file import load_grid
    from ablations.grids.plan import make_plan

    plan = make_plan(load_grid(str(grid)), out=out)
    assert not plan.problems, plan.problems
    target.write_bytes(pickle.dumps(plan.runs))


def _told_by(program: str, *arguments: object) -> dict[str, Seconds]:
    marks = told(sys.executable, "-c", program, *arguments)
    return {name: (wall, cpu) for name, (wall, cpu) in marks.items()}


if __name__ == "__main__":
    main()
