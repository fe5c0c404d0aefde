"""A step on tensors without numbers takes what a real one does."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from auralsam2_tools.__main__ import main
from mmengine.config import Config
from torch import Tensor

from auralsam2 import config
from auralsam2.engine import memory_forecast
from auralsam2.engine.evaluate import build_model
from auralsam2.engine.memory_forecast import GIGABYTE, LiveBytes, StepMemory, forecast
from auralsam2.models import linear
from auralsam2.registry import load_all

ALL = ("fuser", "tracker", "losses")


def mini(**overrides: Any) -> Config:
    load_all()
    small = {"data.batch_size": 2, "model.feature_cache_mb": 0}
    return config.load("auralsam2/mini_v1m", {**small, **overrides})


def measured(cfg: Config) -> int:
    """The peak of a real step, without the state of an optimizer."""
    torch.manual_seed(0)
    model, side, live = build_model(cfg).train(), cfg.data.image_size, LiveBytes()
    shape = (cfg.data.batch_size, 2)
    with live:
        live.count([*model.parameters(), *model.buffers()])
        masks = torch.zeros(*shape, side, side, dtype=torch.uint8)
        masks[..., : side // 2] = 1
        losses: dict[str, Tensor] = model(
            mode="loss",
            frames=torch.randint(0, 256, (*shape, 3, side, side), dtype=torch.uint8),
            log_mel=torch.randn(*shape, 2, 96, 64),
            masks=masks,
            supervised=torch.ones(shape, dtype=torch.bool),
            clip=["a", "b"],
        )
        sum(losses.values()).backward()
    return live.peak


@pytest.fixture(scope="module")
def kept() -> dict[tuple[str, ...], int]:
    return {}


@pytest.mark.slow
@pytest.mark.parametrize("parts", [(), ALL])
def test_the_peak_is_that_of_a_real_step(
    parts: tuple[str, ...], kept: dict[tuple[str, ...], int]
) -> None:
    cfg = mini(**{"model.gradient_checkpointing": parts})
    found = forecast(cfg, gpu=False, num_frames=2)
    trained = [p for p in build_model(cfg).parameters() if p.requires_grad]
    assert found.optimizer == 2 * 4 * sum(p.numel() for p in trained)  # AdamW's two moments
    assert found.peak - found.optimizer == pytest.approx(measured(cfg), rel=0.05)
    kept[parts] = found.kept
    if len(kept) == 2:
        assert kept[ALL] < 0.5 * kept[()]


@pytest.mark.slow
def test_summed_gradients_stay_between_steps() -> None:
    plain = forecast(mini(), gpu=True, num_frames=2)
    summed = forecast(mini(**{"optim.accumulate": 2}), gpu=True, amp="bfloat16", num_frames=2)
    assert plain.weights == summed.weights
    assert summed.optimizer == 1.5 * plain.optimizer
    # So small a model keeps more than it saves: autocast's copies of its weights.
    assert plain.kept < summed.kept < 1.5 * plain.kept


def test_ears_of_transformers_count_their_weights() -> None:
    pytest.importorskip("transformers", reason="needs the extra [text]")
    ear = dict(type="WavLMEncoder", random_weights=True)
    cfg = mini(**{"model.audio_encoder": ear, "data.batch_size": 1})
    found = forecast(cfg, gpu=True, num_frames=1)
    model = build_model(cfg)
    held = [*model.parameters(), *model.buffers()]
    assert found.weights == pytest.approx(sum(x.nbytes for x in held), rel=1e-3)
    cfg.model.audio_encoder.frozen = False
    with pytest.raises(ValueError, match="no forecast for a tuned WavLMEncoder"):
        forecast(cfg, gpu=True, num_frames=1)


def test_what_a_gpu_takes_hangs_on_no_library_of_this_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "prefers_onednn", lambda: True)
    matrix = torch.ones(2, 2)
    with memory_forecast._as_on_gpu(None):
        assert not linear.multiplies_by_onednn(matrix)
    assert linear.multiplies_by_onednn(matrix)


def test_a_card_keeps_a_tenth_and_its_context() -> None:
    step = StepMemory(0, 0, 0, 13 * GIGABYTE)
    assert step.fits(16) and not StepMemory(0, 0, 0, 14 * GIGABYTE).fits(16)


def test_the_command_prints_a_table_without_data(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def found(cfg: Config, *, gpu: bool, amp: str | None) -> StepMemory:
        size = (1 if cfg.model.gradient_checkpointing else 2) * (1 if amp else 10) * GIGABYTE
        return StepMemory(GIGABYTE, 2 * GIGABYTE, size, 3 * GIGABYTE + size)

    monkeypatch.setattr(memory_forecast, "forecast", found)
    arguments = ["--forecast", "--set", "data.root=/nowhere"]
    assert main(["benchmark", "auralsam2/hiera_tiny_v1m", *arguments]) == 0
    rows = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "float32, activations kept 3.0 20.0 23.0 48, 80" in rows
    assert "bfloat16, activations computed again 3.0 1.0 4.0 16, 24, 48, 80" in rows
