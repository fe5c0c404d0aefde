from __future__ import annotations

import csv
from pathlib import Path

import pytest

from auralsam2 import config
from auralsam2.engine import run_record

TINY = [
    "optim.epochs=1",
    "data.image_size=64",
    "evaluation.num_saved_clips=0",
    "evaluation.measure_speed=False",
    "runtime.tensorboard=False",
]


def test_the_space_is_shown_and_nothing_starts(run, tmp_path: Path) -> None:
    argv = ["fuser_mini", "--trials", "3", "--dry-run", "--out", str(tmp_path / "out")]
    shown = run("run-sweep", *argv)
    assert "optim.optimizer.lr: 0.0001 to 0.005, log; base 0.001" in shown
    assert "where model.fusion is TwoWayTPAVIFusion; base batch" in shown
    assert "maximize J; sampler tpe, pruner hyperband" in shown
    assert not (tmp_path / "out").exists()


def test_several_objectives_refuse_a_pruner(run, tmp_path: Path) -> None:
    told = run("run-sweep", "size_mini", "--trials", "3", "--pruner", "median", status=2)
    assert "compares trials by one number, and there are 2" in told


@pytest.mark.slow
def test_a_sweep_from_end_to_end(tmp_path: Path, run) -> None:
    """Two real trainings of the smallest kind."""
    data, out = tmp_path / "data", tmp_path / "out"
    clips = ["--layout", "v1m", "--split", "4/2/4", "--seed", "1", "--size", "64"]
    run("make-synthetic", data, *clips, "--workers", "1")
    stated = ["--jobs", "0", "--set", f"data.root={data}", *TINY]
    told = run("run-sweep", "fuser_mini", "--trials", "2", "--out", out, *stated)
    assert "trials: 2 complete; 2 ended in this call" in told
    with (out / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        record = run_record.read(out / row["run_dirs"])
        assert float(row["J"]) == record.selection["value"] == record.curve[-1]["scores"]["J"]
        assert int(row["num_trainable"]) == record.num_parameters["trainable"]
    assert (out / "figures" / "sweep_history.pdf").is_file()
    run("make-figures", out)
    best = next(row for row in rows if row["best"] == "1")
    record = run_record.read(out / best["run_dirs"])
    assert config.config_hash(config.load(out / "best.py")) == record.config_hash
