from __future__ import annotations

import csv
from pathlib import Path

import pytest
from auralsam2_tools import make_figures, make_synthetic, run_sweep

from auralsam2 import config
from auralsam2.engine import run_record

TINY = [
    "optim.epochs=1",
    "data.image_size=64",
    "evaluation.num_saved_clips=0",
    "evaluation.measure_speed=False",
    "runtime.tensorboard=False",
]


def test_the_space_is_shown_and_nothing_starts(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    argv = ["fuser_mini", "--trials", "3", "--dry-run", "--out", str(tmp_path / "out")]
    assert run_sweep.main(argv) == 0
    shown = capsys.readouterr().out
    assert "optim.optimizer.lr: 0.0001 to 0.005, log; base 0.001" in shown
    assert "where model.fusion is TwoWayTPAVIFusion; base batch" in shown
    assert "maximize J; sampler tpe, pruner hyperband" in shown
    assert not (tmp_path / "out").exists()


def test_several_objectives_refuse_a_pruner(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="compares trials by one number, and there are 2"):
        run_sweep.main(["size_mini", "--trials", "3", "--pruner", "median"])


@pytest.mark.slow
def test_a_sweep_from_end_to_end(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Two real trainings of the smallest kind."""
    data, out = tmp_path / "data", tmp_path / "out"
    clips = ["--layout", "v1m", "--split", "4/2/4", "--seed", "1", "--size", "64"]
    make_synthetic.main([str(data), *clips, "--workers", "1"])
    stated = ["--set", f"data.root={data}", *TINY]
    argv = ["fuser_mini", "--trials", "2", "--out", str(out), "--jobs", "0", *stated]
    assert run_sweep.main(argv) == 0
    assert "trials: 2 complete; 2 ended in this call" in capfd.readouterr().out
    with (out / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        record = run_record.read(out / row["run_dirs"])
        assert float(row["J"]) == record.selection["value"] == record.curve[-1]["scores"]["J"]
        assert int(row["num_trainable"]) == record.num_parameters["trainable"]
    assert (out / "figures" / "sweep_history.pdf").is_file()
    assert make_figures.main([str(out)]) == 0
    best = next(row for row in rows if row["best"] == "1")
    record = run_record.read(out / best["run_dirs"])
    assert config.config_hash(config.load(out / "best.py")) == record.config_hash
