"""The other methods go through training, selection and testing as AuralSAM2 does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from auralsam2 import config as configs
from auralsam2.engine.train import train
from auralsam2.models.weights import read_state

DECODER, MEMORY = "backbone.network.sam_mask_decoder.", "backbone.network.memory_attention."


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("av_sam", {DECODER}),
        ("sama_avs", {DECODER}),
        ("translated", {"sound_classifier.", "detector."}),
        ("tpavi", {"image_encoder.", "head.", "fusions."}),
    ],
)
def test_a_trained_method_comes_back_from_its_run_folder(
    evaluate: Any, load_method: Any, name: str, parts: set[str], tmp_path: Path
) -> None:
    record = train(load_method(name), tmp_path)
    assert record.status == "done" and record.best_epoch == 1
    assert 0 < record.num_parameters["trainable"] < record.num_parameters["total"]
    assert set(record.metrics) == {"test", "test_audio_swapped"}
    saved = read_state(tmp_path / "best.safetensors")
    assert all(any(key.startswith(part) for key in saved) for part in parts)
    assert not any(key.startswith(MEMORY) for key in saved)
    torch.manual_seed(99)
    again = evaluate(configs.load(tmp_path / "config.py"), tmp_path / "best.safetensors")
    for split, scores in record.metrics.items():
        assert all(value == value for value in scores.values())
        assert again.splits[split].metrics == pytest.approx(scores), split


@pytest.mark.parametrize("name", ["prompted", "unprompted"])
def test_a_method_that_trains_nothing_goes_straight_to_the_test(
    name: str, load_method: Any, tmp_path: Path
) -> None:
    record = train(load_method(name), tmp_path)
    assert record.status == "done" and record.num_parameters["trainable"] == 0
    assert record.notes == ["nothing to train: evaluated as built"]
    assert record.metrics["test"] == record.metrics["test_audio_swapped"], "it cannot hear"
    assert not (tmp_path / "best.safetensors").exists()


def test_training_data_without_names_of_sources(load_method: Any, tmp_path: Path) -> None:
    cfg = load_method("translated")
    configs.set_node(cfg, "data.train", dict(type="AVSBenchDataset", split="train"))
    with pytest.raises(ValueError, match="set data.train to dict\\(type='NamedSources'"):
        train(cfg, tmp_path / "run")
