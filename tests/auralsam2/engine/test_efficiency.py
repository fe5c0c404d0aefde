"""Frames a second: what is timed, and that the model is left as it was."""

from __future__ import annotations

import time
from typing import Any

import pytest
import torch
from torch import nn

from auralsam2.engine import run_record
from auralsam2.engine.efficiency import enter_speed, measure_speed
from auralsam2.engine.evaluate import trained_model
from auralsam2.engine.splits import test_datasets as build_tests

CLIP = {"frames": torch.zeros(4, 3, 8, 8, dtype=torch.uint8), "clip": "a"}
PAUSE = 0.02


class Sleeper(nn.Module):
    """Encodes slowly and decodes quickly."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.encoded, self.feature_cache = 0, object()

    def encode(self, frames: torch.Tensor) -> torch.Tensor:
        assert self.feature_cache is None and not torch.is_grad_enabled() and not self.training
        self.encoded += 1
        time.sleep(3 * PAUSE)
        return frames

    def val_step(self, batch: dict[str, Any]) -> list[Any]:
        assert self.encode(batch["frames"]).shape == (1, 4, 3, 8, 8)
        time.sleep(PAUSE)
        return []


class Hearing(Sleeper):
    """Its encoder hears."""

    def encode_heard(self, frames: torch.Tensor, audio: torch.Tensor) -> torch.Tensor:
        return Sleeper.encode(self, frames)

    def val_step(self, batch: dict[str, Any]) -> list[Any]:
        self.encode_heard(batch["frames"], self.weight)
        time.sleep(PAUSE)
        return []


class Whole(Sleeper):
    """Has no encoder apart."""

    def val_step(self, batch: dict[str, Any]) -> list[Any]:
        time.sleep(PAUSE)
        return []


@pytest.mark.parametrize("kind", [Sleeper, Hearing])
def test_the_encoder_counts_in_fps_alone(kind: type[Sleeper]) -> None:
    model = kind()
    cache = model.feature_cache
    speed = measure_speed(model, CLIP, repeats=3, seconds=9)
    # A loaded machine sleeps longer, never shorter.
    assert 0 < speed.frames_per_second["fps"] <= 4 / (4 * PAUSE)
    assert speed.frames_per_second["fps"] < speed.frames_per_second["decoder_fps"] <= 4 / PAUSE
    assert model.encoded == (1 + 3) + 1, "warm-up and repeats, then once for all"
    assert speed.conditions == {
        "device": "cpu",
        "num_threads": torch.get_num_threads(),
        "num_frames": 4,
        "image_size": 8,
        "repeats": {"fps": 3, "decoder_fps": 3},
    }
    assert model.training and model.feature_cache is cache
    assert "encode" not in vars(model) and "encode_heard" not in vars(model)


def test_time_is_bounded() -> None:
    speed = measure_speed(Sleeper(), CLIP, repeats=1000, seconds=0.1)
    assert 1 <= speed.conditions["repeats"]["fps"] <= 3


def test_without_an_encoder_there_is_no_decoder_fps() -> None:
    assert list(measure_speed(Whole(), CLIP, repeats=1).frames_per_second) == ["fps"]


def test_record_of_a_run(tiny_config: Any) -> None:
    model, datasets = trained_model(tiny_config, None), build_tests(tiny_config)
    record = run_record.RunRecord()
    tiny_config.evaluation.measure_speed = True
    enter_speed(record, model, tiny_config, datasets)
    assert 0 < record.speed["fps"] < record.speed["decoder_fps"]
    assert record.environment["speed"]["num_frames"] == 3
    assert run_record.RunRecord.from_json(record.to_json()) == record

    off = run_record.RunRecord()
    tiny_config.evaluation.measure_speed = False
    enter_speed(off, model, tiny_config, datasets)
    assert off.speed == {} and off.environment == {}
