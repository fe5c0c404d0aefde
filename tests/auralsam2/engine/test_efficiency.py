"""What of an evaluated frame is timed and counted, and that the model is left as it was."""

from __future__ import annotations

import time
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from auralsam2.engine import run_record
from auralsam2.engine.efficiency import count_operations, enter_cost, measure_speed
from auralsam2.engine.evaluate import trained_model
from auralsam2.engine.splits import test_datasets as build_tests
from auralsam2.models.cached_encoder import CachedEncoder
from auralsam2.models.feature_cache import FeatureStore

CLIP = {"frames": torch.zeros(4, 3, 8, 8, dtype=torch.uint8), "clip": "a"}
PAUSE = 0.02


class Seeing(nn.Module):
    """Encodes slowly 3 to 5 channels, pixel by pixel, and decodes quickly 5 to 2."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(3, 5), nn.Linear(5, 2)
        self.encoded, self.feature_cache = 0, object()

    def encode(self, frames: Tensor) -> Tensor:
        assert self.feature_cache is None and not torch.is_grad_enabled() and not self.training
        self.encoded += 1
        time.sleep(3 * PAUSE)
        return self.first(frames.float().movedim(2, -1))

    def decode(self, maps: Tensor) -> Tensor:
        time.sleep(PAUSE)
        return self.second(maps)

    def val_step(self, batch: dict[str, Any]) -> Tensor:
        return self.decode(self.encode(batch["frames"]))


class Hearing(Seeing):
    """Its encoder hears."""

    def encode_heard(self, frames: Tensor, audio: Tensor) -> Tensor:
        return Seeing.encode(self, frames)

    def val_step(self, batch: dict[str, Any]) -> Tensor:
        return self.decode(self.encode_heard(batch["frames"], self.first.weight))


class Whole(Seeing):
    """Has no encoder apart."""

    def val_step(self, batch: dict[str, Any]) -> Tensor:
        return self.decode(self.first(batch["frames"].float().movedim(2, -1)))


@pytest.mark.parametrize("kind", [Seeing, Hearing])
def test_the_encoder_counts_in_fps_alone(kind: type[Seeing]) -> None:
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
    speed = measure_speed(Seeing(), CLIP, repeats=1000, seconds=0.1)
    assert 1 <= speed.conditions["repeats"]["fps"] <= 3


def test_without_an_encoder_there_is_no_decoder_fps() -> None:
    assert list(measure_speed(Whole(), CLIP, repeats=1).frames_per_second) == ["fps"]


ENCODER, DECODER = 4 * 2 * 64 * 3 * 5, 4 * 2 * 64 * 5 * 2  # frames, multiply-add, pixels, channels


def test_operations_of_the_encoder_count_in_the_whole_alone() -> None:
    model = Seeing()
    cache = model.feature_cache
    counted = count_operations(model, CLIP)
    assert counted["gflops"] * 4e9 == pytest.approx(ENCODER + DECODER)
    assert counted["decoder_gflops"] * 4e9 == pytest.approx(DECODER)
    assert model.training and model.feature_cache is cache and "encode" not in vars(model)


def test_without_an_encoder_there_are_operations_of_the_whole() -> None:
    assert count_operations(Whole(), CLIP) == {"gflops": (ENCODER + DECODER) / 4e9}


class Reading(CachedEncoder):
    """Says of a clip's name what 6 channels make of 2."""

    store, budget_mb = FeatureStore(), 1

    def __init__(self) -> None:
        super().__init__()
        self.network = nn.Linear(6, 2)
        self.freeze()

    def identity(self) -> str:
        return "six"

    def forward(self, names: list[str]) -> Tensor:
        read = lambda: [self.network(torch.zeros(1, 6))]  # noqa: E731
        return torch.cat([self.read_alone(n, torch.device("cpu"), read)[0] for n in names])


def test_a_frozen_encoder_counts_whatever_it_has_met_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = Seeing()
    alone = count_operations(model, CLIP)
    model.text_encoder = encoder = Reading()
    both = lambda batch: (encoder(batch["clip"]), Seeing.val_step(model, batch))  # noqa: E731
    monkeypatch.setattr(model, "val_step", both)
    encoder(["a"])
    assert encoder.store.used
    counted = count_operations(model, CLIP)
    for name, giga in alone.items():
        assert (counted[name] - giga) * 4e9 == pytest.approx(2 * 6 * 2)
    assert encoder.cache is encoder.store


def test_record_of_a_run(tiny_config: Any) -> None:
    model, datasets = trained_model(tiny_config, None), build_tests(tiny_config)
    record, off = run_record.RunRecord(), run_record.RunRecord()
    enter_cost(off, model, tiny_config, datasets)
    assert off == run_record.RunRecord()
    tiny_config.evaluation.measure_speed = True
    enter_cost(record, model, tiny_config, datasets)
    assert 0 < record.speed["fps"] < record.speed["decoder_fps"]
    assert 0 < record.cost["decoder_gflops"] < record.cost["gflops"]
    assert record.environment["speed"]["num_frames"] == 3
    assert record.environment["operations"] == {"num_frames": 3, "image_size": 128}
    assert run_record.RunRecord.from_json(record.to_json()) == record
