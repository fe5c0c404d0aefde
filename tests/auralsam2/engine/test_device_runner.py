"""Training happens on the device of the config, whatever else the machine has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.runner import runner as mmengine_runner

from auralsam2.engine import train as training
from auralsam2.engine.device_runner import DeviceRunner
from auralsam2.engine.train import train


def test_the_gpu_of_a_machine_is_left_alone(
    tiny_config: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden() -> str:
        raise AssertionError("mmengine has chosen the device")

    monkeypatch.setattr(mmengine_runner, "get_device", forbidden)
    tiny_config.runtime.device = "cpu"
    tiny_config.optim.epochs = 1
    assert train(tiny_config, tmp_path / "run").status == "done"


def test_the_model_goes_where_the_config_says(
    tiny_config: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No machine of the tests has a GPU: torch's device without memory stands in for one."""
    seen: list[torch.device] = []
    monkeypatch.setattr(training, "pick_device", lambda name: torch.device("meta"))

    def trained(self: DeviceRunner) -> None:
        seen.extend({p.device for p in self.model.parameters()})
        raise KeyboardInterrupt

    monkeypatch.setattr(DeviceRunner, "train", trained)
    with pytest.raises(KeyboardInterrupt):
        train(tiny_config, tmp_path / "run")
    assert seen == [torch.device("meta")]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("runtime.device", "cuda:7", "runtime.device got 'cuda:7', but torch sees"),
        ("optim.amp", "bfloat16", "optim.amp='bfloat16' needs a GPU"),
        ("evaluation.select_by", "K", "evaluation.select_by got 'K'; evaluation.metrics give: J"),
        ("evaluation.decode", "best", "evaluation.decode got 'best'; known: first"),
        ("data.image_size", 100, "data.image_size must be a multiple of 32 for SAM2Backbone"),
    ],
)
def test_what_cannot_work_is_told_before_anything_is_written(
    tiny_config: Any, tmp_path: Path, key: str, value: Any, message: str
) -> None:
    if torch.cuda.is_available():
        tiny_config.runtime.device = "cpu"
    section, name = key.split(".")
    tiny_config[section][name] = value
    with pytest.raises(ValueError, match=message.replace("[", r"\[")):
        train(tiny_config, tmp_path / "run")
    assert not (tmp_path / "run").exists()
