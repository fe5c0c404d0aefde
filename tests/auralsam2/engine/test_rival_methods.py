"""Methods with losses and data of their own, through the ordinary training and evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from auralsam2 import config as configs
from auralsam2.engine.train import train


def tiny(name: str, data: Path, **changes: Any) -> Any:
    return configs.load(
        f"methods/{name}_mini_v1m",
        {
            "data.root": str(data),
            "data.image_size": 64,
            "data.batch_size": 2,
            "optim.epochs": 1,
            "runtime.tensorboard": False,
            "runtime.num_threads": 1,
            "evaluation.num_saved_clips": 0,
            **changes,
        },
    )


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("translated", {"sound_classifier", "detector"}),
        ("tpavi", {"image_encoder", "head", "fusions"}),
    ],
)
def test_trained_saved_and_read_again(
    evaluate: Any, name: str, parts: set[str], tiny_data: Path, tmp_path: Path
) -> None:
    from auralsam2.models.weights import read_state

    cfg = tiny(name, tiny_data)
    record = train(cfg, tmp_path / "run")
    assert record.status == "done" and record.best_epoch == 1
    assert set(record.metrics) == {"test", "test_audio_swapped"}
    assert all(v == v for scores in record.metrics.values() for v in scores.values())
    state = read_state(tmp_path / "run" / "best.safetensors")
    assert parts <= {key.split(".")[0] for key in state}
    again = evaluate(configs.load(tmp_path / "run/config.py"), tmp_path / "run/best.safetensors")
    for split, scores in record.metrics.items():
        assert again.splits[split].metrics == pytest.approx(scores)


def test_training_data_without_names_of_sources(tiny_data: Path, tmp_path: Path) -> None:
    cfg = tiny("translated", tiny_data)
    configs.set_node(cfg, "data.train", dict(type="AVSBenchDataset", split="train"))
    with pytest.raises(ValueError, match="set data.train to dict\\(type='NamedSources'"):
        train(cfg, tmp_path / "run")
