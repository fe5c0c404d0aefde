from __future__ import annotations

from pathlib import Path

import pytest
from mmengine.config import Config

from ablations.runs import attempts
from ablations.runs.attempts import delete_checkpoints
from auralsam2.engine import run_record
from auralsam2.engine.run_record import RunRecord

FILES = ("epoch_2.pth", "best_J_epoch_1.pth", "last_checkpoint", "best.safetensors", "config.py")


@pytest.fixture
def cfg(toy_config: Config) -> Config:
    toy_config.data.batch_size, toy_config.optim.accumulate = 12, 2
    return toy_config


@pytest.mark.parametrize(
    ("times", "size", "accumulate"), [(0, 12, 2), (1, 6, 4), (2, 3, 8), (3, 1, 24), (9, 1, 24)]
)
def test_a_step_sees_as_many_clips(cfg: Config, times: int, size: int, accumulate: int) -> None:
    smaller = attempts.smaller_batches(cfg, times)
    assert attempts.batches(smaller) == {"batch_size": size, "accumulate": accumulate}
    assert size * accumulate == 24
    assert cfg.data.batch_size == 12, "the plan's own config stays"


def test_warm_up_counts_batches(cfg: Config) -> None:
    cfg.optim.warmup = 10
    assert attempts.smaller_batches(cfg, 1).optim.warmup == 20


def test_how_often_it_is_tried(cfg: Config) -> None:
    record = RunRecord(status="failed")
    assert not attempts.can_try_again(cfg, record, 2), "it failed for another reason"
    attempts.enter(record, cfg, attempts.OUT_OF_MEMORY, "CUDA out of memory")
    assert record.attempts == [
        dict(batch_size=12, accumulate=2, ended="out of memory", error="CUDA out of memory")
    ]
    assert attempts.can_try_again(cfg, record, 1) and not attempts.can_try_again(cfg, record, 0)
    assert (attempts.halvings(record, 2), attempts.halvings(record, 0)) == (1, 0)
    attempts.enter(record, cfg, attempts.OUT_OF_MEMORY, "again")
    assert not attempts.can_try_again(cfg, record, 1)
    cfg.data.batch_size = 2
    assert not attempts.can_try_again(cfg, record, 9), "batches of one cannot be halved"
    record.status = "done"
    assert not attempts.can_try_again(cfg, record, 9)


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
