from __future__ import annotations

from pathlib import Path

import pytest

from ablations.runs.checkpoints import delete_checkpoints
from auralsam2.engine import run_record
from auralsam2.engine.run_record import RunRecord

FILES = ("epoch_2.pth", "best_J_epoch_1.pth", "last_checkpoint", "best.safetensors", "config.py")


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).write_bytes(b"0123456789")
    return tmp_path


def left(run_dir: Path) -> set[str]:
    return {path.name for path in run_dir.iterdir()} - {"record.json"}


def test_done_runs_keep_their_selected_weights(run_dir: Path) -> None:
    run_record.write(RunRecord(status="done", num_parameters={"trainable": 1}), run_dir)
    assert delete_checkpoints(run_dir) == 30
    assert left(run_dir) == {"best.safetensors", "config.py"}
    assert delete_checkpoints(run_dir) == 0


@pytest.mark.parametrize("status", ["running", "failed", "stopped"])
def test_runs_that_may_go_on_keep_everything(run_dir: Path, status: str) -> None:
    run_record.write(RunRecord(status=status, num_parameters={"trainable": 1}), run_dir)
    assert delete_checkpoints(run_dir) == 0
    assert left(run_dir) == set(FILES)


def test_the_only_weights_stay(run_dir: Path) -> None:
    (run_dir / "best.safetensors").unlink()
    run_record.write(RunRecord(status="done", num_parameters={"trainable": 1}), run_dir)
    assert delete_checkpoints(run_dir) == 0
