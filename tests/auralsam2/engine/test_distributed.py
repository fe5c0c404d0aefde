"""Two processes that share every batch train the run of one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from auralsam2_tools.train import main
from safetensors.torch import load_file

from auralsam2 import config as configs
from auralsam2.engine import distributed, run_record
from auralsam2.engine.train import WEIGHTS, train


@pytest.fixture
def plain_config(tiny_config: Any) -> Any:
    """Nothing random, nothing that several clips of a batch share: sums are all that differ."""
    tiny_config.model.contrastive_loss = None
    tiny_config.model.projector = None
    tiny_config.model.fusion.norm = "clip"
    tiny_config.optim.epochs = 1
    tiny_config.optim.warmup = 0
    return tiny_config


@pytest.mark.slow
def test_two_processes_train_the_run_of_one(
    plain_config: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    alone = train(plain_config, tmp_path / "alone")
    configs.dump(plain_config, tmp_path / "tiny.py")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    capfd.readouterr()
    status = main([str(tmp_path / "tiny.py"), "--processes", "2", "--out", str(tmp_path / "two")])
    shown, errors = capfd.readouterr()
    assert status == 0, shown + errors
    assert shown.count("record: ") == 1, "one process speaks"

    two = run_record.read(tmp_path / "two")
    assert two.status == "done" and any("2 processes" in note for note in two.notes)
    assert {entry["clip"] for entry in two.per_clip} == {entry["clip"] for entry in alone.per_clip}
    # AdamW's first steps are as large as the rate, whatever the gradient: where that is next to
    # nothing, its sign hangs on the order of sums. Scores are what must agree.
    for split, scores in alone.metrics.items():
        assert two.metrics[split] == pytest.approx(scores, abs=2e-3)
    ours, theirs = (load_file(tmp_path / name / WEIGHTS) for name in ("alone", "two"))
    moved = torch.cat([(ours[key] - theirs[key]).abs().flatten().float() for key in ours])
    assert moved.median() < 1e-6


def test_a_batch_that_cannot_be_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributed.dist, "get_world_size", lambda: 3)

    assert distributed.share_of_batch(6) == 2
    with pytest.raises(ValueError, match="data.batch_size=4 cannot be shared by 3 processes"):
        distributed.share_of_batch(4)
