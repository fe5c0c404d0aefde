"""Operations of a frame: what is counted, and that the model is left as it was."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from auralsam2.engine import run_record
from auralsam2.engine.evaluate import trained_model
from auralsam2.engine.operations import count_operations, enter_operations
from auralsam2.engine.splits import test_datasets as build_tests
from auralsam2.models.cached_encoder import CachedEncoder
from auralsam2.models.feature_cache import FeatureStore

CLIP = {"frames": torch.zeros(4, 3, 8, 8, dtype=torch.uint8), "clip": "a"}
ENCODER, DECODER = 4 * 2 * 64 * 3 * 5, 4 * 2 * 64 * 5 * 2  # frames, multiply-add, pixels, channels


class Seeing(nn.Module):
    """An encoder of 3 to 5 channels and a decoder of 5 to 2, pixel by pixel."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(3, 5), nn.Linear(5, 2)
        self.feature_cache = object()

    def encode(self, frames: Tensor) -> Tensor:
        assert self.feature_cache is None and not torch.is_grad_enabled() and not self.training
        return self.first(frames.float().movedim(2, -1))

    def val_step(self, batch: dict[str, Any]) -> Tensor:
        return self.second(self.encode(batch["frames"]))


class Whole(Seeing):
    """Has no encoder apart."""

    def val_step(self, batch: dict[str, Any]) -> Tensor:
        return self.second(self.first(batch["frames"].float().movedim(2, -1)))


def test_the_encoder_counts_in_the_whole_alone() -> None:
    model = Seeing()
    cache = model.feature_cache
    counted = count_operations(model, CLIP)
    assert counted["gflops"] * 4e9 == pytest.approx(ENCODER + DECODER)
    assert counted["decoder_gflops"] * 4e9 == pytest.approx(DECODER)
    assert model.training and model.feature_cache is cache and "encode" not in vars(model)


def test_without_an_encoder_there_is_the_whole() -> None:
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
    record = run_record.RunRecord()
    tiny_config.evaluation.measure_speed = True
    enter_operations(record, model, tiny_config, datasets)
    assert 0 < record.cost["decoder_gflops"] < record.cost["gflops"]
    assert record.environment["operations"] == {"num_frames": 3, "image_size": 128}
    assert run_record.RunRecord.from_json(record.to_json()) == record

    off = run_record.RunRecord()
    tiny_config.evaluation.measure_speed = False
    enter_operations(off, model, tiny_config, datasets)
    assert off.cost == {} and off.environment == {}
