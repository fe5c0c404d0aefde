"""Where the CPU seconds of `make demo` go: each of its commands, and one of its runs by phase.

python benchmarks/bench_demo.py
python benchmarks/bench_demo.py --clips 60/10/20 --epochs 1 --repeats 3 --out demo.csv

The run is the reference of the demo grid with its first seed, trained in a process of its own; the
commands are those of the Makefile. Seconds are CPU seconds of one thread, which hang little on what
else the machine does; of repeats, medians are shown. To measure another version, give this file to
its interpreter (``../before/.venv/bin/python``).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

import pandas as pd
from versions import call, taken

PHASES = """
import functools, json, sys, time
from contextlib import contextmanager
spent, stack = {}, ["imports and config"]
last = 0.0
def tick():
    global last
    now = time.process_time()
    spent[stack[-1]] = spent.get(stack[-1], 0.0) + now - last
    last = now
@contextmanager
def phase(name):
    tick()
    stack.append(name)
    try:
        yield
    finally:
        tick()
        stack.pop()
def within(owner, attribute, name):
    inner = getattr(owner, attribute)
    @functools.wraps(inner)
    def timed(*args, **options):
        with phase(name() if callable(name) else name):
            return inner(*args, **options)
    setattr(owner, attribute, timed)
def here(name):
    return lambda: f"{where[0]}: {name}"
where = ["training"]
def part(owner, attribute, name):
    inner = getattr(owner, attribute)
    @functools.wraps(inner)
    def placed(*args, **options):
        before, where[0] = where[0], name
        try:
            with phase(f"{name}: rest"):
                return inner(*args, **options)
        finally:
            where[0] = before
    setattr(owner, attribute, placed)
from auralsam2.engine import train as engine
from auralsam2.engine import run_record
from mmengine.evaluator import Evaluator
from mmengine.hooks import CheckpointHook
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper
from mmengine.runner import EpochBasedTrainLoop, Runner, ValLoop
from torch.utils.data import dataloader
part(EpochBasedTrainLoop, "run", "training")
part(ValLoop, "run", "validation")
part(engine, "_test", "test")
within(engine, "_planned", "data: fingerprint, identity")
within(engine, "run_datasets", "data: index")
within(engine, "check", "checks before the run")
within(engine, "_train_in_folder", "records, configs and the rest")
within(engine, "build_runner", "model, runner")
part(engine, "enter_speed", "speed")
within(engine, "_select", "selection of weights")
within(run_record, "write", "records, configs and the rest")
within(Evaluator, "process", here("metrics"))
within(Evaluator, "evaluate", here("metrics"))
within(dataloader._BaseDataLoaderIter, "__next__", here("loading"))
within(BaseModel, "train_step", here("forward, losses, optimizer"))
within(BaseModel, "val_step", here("forward"))
within(OptimWrapper, "backward", here("backward"))
hooks = Runner.call_hook
def call_hook(self, fn_name, **options):
    for hook in self._hooks:
        if hasattr(hook, fn_name):
            with phase(f"hook: {type(hook).__name__}"):
                getattr(hook, fn_name)(self, **options)
Runner.call_hook = call_hook
from auralsam2_tools.train import main
status = main(sys.argv[2:])
tick()
json.dump(spent, open(sys.argv[1], "w"))
sys.exit(status)
"""


def main() -> None:
    """Measure and print; also write CSV where asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", default="300/30/60", help="train/val/test, as make-synthetic")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--commands", action="store_true", help="also the grid, tables and figures")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    found: list[tuple[str, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        for repeat in range(options.repeats):
            found += _one_repeat(Path(folder) / str(repeat), options)
    seconds = pd.DataFrame(found, columns=["what", "CPU s"]).groupby("what", sort=False)
    table = seconds.median().sort_values("CPU s", ascending=False)
    print(table.to_string(float_format="{:.2f}".format))
    if options.out:
        table.to_csv(options.out)


def _one_repeat(folder: Path, options: argparse.Namespace) -> list[tuple[str, float]]:
    data, out = str(folder / "data"), str(folder / "grid")
    clips = ("--layout", "v1m", "--split", options.clips, "--seed", "7", "--classes", "8")
    found = [("command: make-synthetic", call(sys.executable, "make-synthetic", data, *clips)[1])]
    phases = folder / "phases.json"
    settings = (f"data.root={data}", f"optim.epochs={options.epochs}")
    run = ("auralsam2/mini_v1m", "--out", str(folder / "run"), "--set", *settings)
    found.append(("command: train", taken(sys.executable, "-c", PHASES, str(phases), *run)[1]))
    found += [(f"run, {k}", v) for k, v in json.loads(phases.read_text()).items()]
    if options.commands:
        grid = ("demo", "--out", out, "--jobs", "1", "--set", *settings)
        for command in (("run-grid", *grid), ("make-tables", out), ("make-figures", out)):
            found.append((f"command: {command[0]}", call(sys.executable, *command)[1]))
    return found


if __name__ == "__main__":
    main()
