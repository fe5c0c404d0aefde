"""Training from another run's weights, and for longer than a finished run was planned."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import torch

from auralsam2.engine.run_folder import OtherRunError, extension_of, start_from
from auralsam2.engine.train import train
from auralsam2.models.weights import read_state


def finished(toys: Any, folder: Path, **optim: Any) -> Any:
    cfg = toys.toy_config(folder, **optim)
    train(cfg, folder / "R")
    return cfg


def test_a_run_starts_from_the_weights_of_another(toys: Any, tmp_path: Path, logged: Any) -> None:
    cfg = finished(toys, tmp_path)
    cfg.start, cfg.optim.optimizer.lr = start_from(tmp_path / "R"), 1e-12
    record = train(cfg, tmp_path / "new")
    before, after = (read_state(tmp_path / run / "best.safetensors") for run in ("R", "new"))
    assert all(torch.allclose(before[key], after[key], atol=1e-6) for key in before)
    digest = hashlib.sha256((tmp_path / "R" / "best.safetensors").read_bytes()).hexdigest()
    assert record.start["sha256"] == record.files["start.weights"] == digest
    assert (record.start["how"], record.start["run"], record.start["epochs"]) == ("weights", "R", 3)
    assert record.epochs == 3 and len(logged(tmp_path / "new", "lr")) == 15, "trained anew"
    cfg.pop("start")
    with pytest.raises(OtherRunError, match=r"start\.weights: 'best.safetensors' there, absent"):
        train(cfg, tmp_path / "new")


@pytest.mark.parametrize(
    "optim",
    [dict(), dict(warmup=4, accumulate=2), dict(warmup=20), dict(cosine_to=1e-3)],
    ids=str,
)
def test_a_finished_run_is_extended_by_the_longer_schedule(
    optim: dict[str, Any], toys: Any, tmp_path: Path, logged: Any
) -> None:
    cfg = finished(toys, tmp_path, **optim)
    held = {path: path.read_bytes() for path in (tmp_path / "R").rglob("*") if path.is_file()}
    cfg.start, cfg.optim.epochs = extension_of(tmp_path / "R"), 7
    with pytest.raises(KeyboardInterrupt):
        train(cfg, tmp_path / "long", progress=toys.Watching(step=8))
    record = train(cfg, tmp_path / "long")
    assert {p: p.read_bytes() for p in (tmp_path / "R").rglob("*") if p.is_file()} == held
    assert (record.epochs, [entry["epoch"] for entry in record.curve]) == (7, [*range(1, 8)])
    assert (record.start["how"], record.start["run"]) == ("extended", "R")

    straight = toys.toy_config(tmp_path, **optim, epochs=7)
    train(straight, tmp_path / "straight")
    planned, long = (logged(tmp_path / name, "lr") for name in ("straight", "long"))
    # It was cut off in its second epoch: what follows, and what it began with, is on that curve.
    assert long[-15:] == pytest.approx(planned[-15:])
    assert long[0] == pytest.approx(planned[15]) and planned[15] > 0.03
    assert logged(tmp_path / "R", "lr")[-1] < planned[15] / 2


def test_only_more_epochs_extend_a_run(toys: Any, tmp_path: Path) -> None:
    cfg = finished(toys, tmp_path)
    cfg.start, cfg.optim.epochs, cfg.seed = extension_of(tmp_path / "R"), 3, 4
    with pytest.raises(ValueError, match="can only be extended by more epochs") as caught:
        train(cfg, tmp_path / "new")
    assert "seed: 0 there, 4 now" in str(caught.value)
    assert "optim.epochs: got 3, wanted more than its 3" in str(caught.value)
    cfg.start = dict(**cfg.start, weights="x")
    with pytest.raises(ValueError, match="got weights and checkpoint"):
        train(cfg, tmp_path / "new")
    cfg.start = dict(weights=str(tmp_path / "gone.safetensors"))
    with pytest.raises(FileNotFoundError, match="start.weights: no file"):
        train(cfg, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_run_that_has_begun_needs_its_start_no_more(
    evaluate: Any, toys: Any, tmp_path: Path
) -> None:
    cfg = finished(toys, tmp_path)
    cfg.start = start_from(tmp_path / "R")
    first = train(cfg, tmp_path / "done")
    with pytest.raises(KeyboardInterrupt):
        train(cfg, tmp_path / "resumed", progress=toys.Watching(step=8))
    (tmp_path / "R" / "best.safetensors").unlink()
    assert train(cfg, tmp_path / "done") == first
    assert evaluate(cfg, tmp_path / "done" / "best.safetensors").splits["test"].metrics
    resumed = train(cfg, tmp_path / "resumed")
    for name in ("run_id", "files", "start", "metrics", "curve"):
        assert getattr(resumed, name) == getattr(first, name)
    with pytest.raises(FileNotFoundError, match=r"start\.weights: no file"):
        train(cfg, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_what_is_not_there_is_no_start(tmp_path: Path) -> None:
    assert start_from(tmp_path) == {"weights": str(tmp_path / "best.safetensors")}, "asked later"
    with pytest.raises(FileNotFoundError, match=f"--start-from {tmp_path}"):
        extension_of(tmp_path)


def test_a_record_says_on_what_and_how_it_was_trained(toys: Any, tmp_path: Path) -> None:
    record = train(toys.toy_config(tmp_path), tmp_path / "R")
    found = record.environment
    assert found["device"].startswith("cpu") and len(found["device"]) > len("cpu: ")
    assert (found["num_threads"], found["processes"], found["amp"]) == (1, 1, None)
    assert "cuda" not in found and torch.__version__.startswith(found["packages"]["torch"])
    assert (record.epochs, record.epochs_planned, record.notes) == (3, 3, [])
