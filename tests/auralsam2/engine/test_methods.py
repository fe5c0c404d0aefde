"""The other methods go through training, selection and testing as AuralSAM2 does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from auralsam2 import config as configs
from auralsam2.engine.train import train
from auralsam2.models.weights import read_state


def method_config(name: str, root: Path, **overrides: Any) -> Any:
    small = {
        "data.root": str(root),
        "data.batch_size": 2,
        "data.image_size": 64,
        "optim.epochs": 1,
        "runtime.tensorboard": False,
        "runtime.num_threads": 1,
        "evaluation.num_saved_clips": 0,
        "evaluation.measure_speed": False,
    }
    return configs.load(f"methods/{name}_mini_v1m", {**small, **overrides})


@pytest.mark.parametrize("name", ["av_sam", "sama_avs"])
def test_a_trained_method_comes_back_from_its_run_folder(
    evaluate: Any, name: str, tiny_data: Path, tmp_path: Path
) -> None:
    record = train(method_config(name, tiny_data), tmp_path)
    assert record.status == "done" and record.best_epoch == 1
    assert 0 < record.num_parameters["trainable"] < record.num_parameters["total"]
    saved = read_state(tmp_path / "best.safetensors")
    assert any(k.startswith("backbone.network.sam_mask_decoder.") for k in saved)
    assert not any(k.startswith("backbone.network.memory_attention.") for k in saved)
    torch.manual_seed(99)
    again = evaluate(configs.load(tmp_path / "config.py"), tmp_path / "best.safetensors")
    for split, metrics in record.metrics.items():
        assert again.splits[split].metrics == pytest.approx(metrics, nan_ok=True), split


@pytest.mark.parametrize("name", ["prompted", "unprompted"])
def test_a_method_that_trains_nothing_goes_straight_to_the_test(
    name: str, tiny_data: Path, tmp_path: Path
) -> None:
    record = train(method_config(name, tiny_data), tmp_path)
    assert record.status == "done" and record.num_parameters["trainable"] == 0
    assert record.notes == ["nothing to train: evaluated as built"]
    assert record.metrics["test"] == record.metrics["test_audio_swapped"]
