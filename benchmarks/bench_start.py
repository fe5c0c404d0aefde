"""What stands between the start of a training and its first step, for data of many clips.

python benchmarks/bench_start.py --clips 5000 --repeats 3

Clips are copies of a few synthetic ones under names of their own. Every start is a new process:
first without digests of the files, which all are read then, and again with those that the first
has kept. With --cold the system is asked to forget the files before each start, as if they had not
been read since the machine was booted; else they lie in its memory.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pandas as pd
from versions import told

from auralsam2.data.datasets.metadata import SPLITS
from auralsam2.kept_digests import FOLDER
from auralsam2.listing import files_below

START = """
import time
marks, last = {}, [time.perf_counter(), time.process_time()]
def mark(name):
    now = [time.perf_counter(), time.process_time()]
    marks[name] = [b - a for a, b in zip(last, now)]
    last[:] = now
import json, os, sys
import auralsam2.engine.train as training
from auralsam2.config import load, parse_overrides
from auralsam2.engine.progress import Progress, StopRun
class UpToTheFirstStep(Progress):
    def start_run(self, *_):
        mark("folder, model, loaders")
    def step(self, *_):
        mark("first step")
        raise StopRun("enough")
def marked(function, name):
    def call(*arguments):
        result = function(*arguments)
        mark(name)
        return result
    return call
training.run_datasets = marked(training.run_datasets, "read the index, list the files")
training.fingerprint = marked(training.fingerprint, "fingerprint of the data")
cfg = load("auralsam2/mini_v1m", parse_overrides(
    [f"data.root={sys.argv[1]}", "runtime.tensorboard=False", "data.num_workers=0"]))
mark("imports and config")
stdout = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
training.train(cfg, sys.argv[2], progress=UpToTheFirstStep())
os.write(stdout, json.dumps(marks).encode())
"""


def write(root: Path, num_clips: int) -> None:
    """Eight of ten clips to train on, one each to validate and to test."""
    from auralsam2.data.synthetic.writer import Plan, write_clips

    few = root / "few"
    write_clips(few, Plan("v1m", (24, 4, 4), seed=3, size=224))
    index = Path("avss_index") / "metadata.csv"
    table = pd.read_csv(few / index, dtype=str, keep_default_na=False)
    table = table.iloc[[i % len(table) for i in range(num_clips)]].reset_index(drop=True)
    for number, uid in enumerate(table["uid"]):
        shutil.copytree(few / "v1m" / uid, root / "v1m" / f"{uid}_{number}")
    table["uid"] = [f"{uid}_{number}" for number, uid in enumerate(table["uid"])]
    shares = (num_clips * 8 // 10, num_clips * 9 // 10)
    table["split"] = [SPLITS[sum(i >= share for share in shares)] for i in table.index]
    (root / index).parent.mkdir()
    table.to_csv(root / index, index=False)
    shutil.rmtree(few)


def forget(root: Path) -> None:
    """Ask the system to drop what it holds of the files."""
    os.sync()  # what is not on the disk yet is not dropped
    for path in files_below(root):
        file = os.open(path, os.O_RDONLY)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(file)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=5000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--cold", action="store_true", help="forget the files before each start")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "data"
        root.mkdir()
        write(root, options.clips)
        for repeat in range(options.repeats):
            shutil.rmtree(root / FOLDER, ignore_errors=True)
            for start in ("first start", "second start"):
                if options.cold:
                    forget(root)
                marks = told(sys.executable, "-c", START, root, f"{folder}/{start}{repeat}")
                marks["all"] = [sum(seconds) for seconds in zip(*marks.values())]
                rows += [(what, start, *seconds) for what, seconds in marks.items()]
    table = pd.DataFrame(rows, columns=["what", "start", "wall", "CPU"])
    medians = table.groupby(["what", "start"], sort=False).median().unstack()
    print(f"{options.clips} clips, {options.repeats} repeats, seconds, medians")
    print(medians.to_string(float_format="{:.2f}".format))


if __name__ == "__main__":
    main()
