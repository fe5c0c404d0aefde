"""AVSegFormer: what it trains, that frames are alone, and its class head."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from auralsam2 import config
from auralsam2.engine.efficiency import measure_speed
from auralsam2.engine.evaluate import build_model

Build = Callable[..., Any]
Best = Callable[..., Tensor]


def test_the_mixer_is_a_tenth_of_the_loss(build: Build, clips: dict[str, Any]) -> None:
    heavier, without = (
        build("avsegformer", mixer_loss=loss).eval()
        for loss in (dict(type="SquaredDiceLoss"), None)
    )
    with torch.no_grad():
        losses, heavy = build("avsegformer").eval()(**clips), heavier(**clips)
        assert set(losses) == {"loss_mask", "loss_mixer"}
        assert float(heavy["loss_mixer"] / losses["loss_mixer"]) == pytest.approx(10, rel=1e-4)
        assert set(without(**clips)) == {"loss_mask"}


def test_frames_never_see_each_other_and_hear_their_own_second(
    build: Build, best: Best, clips: dict[str, Any]
) -> None:
    model = build("avsegformer")
    flipped = {k: v.flip(1) if isinstance(v, Tensor) else v for k, v in clips.items()}
    there = best(model, clips)
    torch.testing.assert_close(best(model, flipped).flip(1), there, atol=1e-4, rtol=1e-3)
    louder = dict(clips, log_mel=clips["log_mel"].clone())
    louder["log_mel"][:, 1] += 3
    changed = (best(model, louder) - there).abs().amax(dim=(-2, -1))
    assert (changed[:, 0] < 1e-6).all() and (changed[:, 1] > 1e-4).all()


def test_a_class_head(build: Build, clips: dict[str, Any]) -> None:
    model = build("avsegformer", num_classes=4, mask_loss=dict(type="SemanticMaskLoss"))
    semantic = clips["masks"] * 3
    losses = model.train()(**clips, semantic=semantic)
    assert set(losses) == {"loss_mask", "loss_mixer"} and losses["loss_mask"] > 0
    answer = model.eval()(**clips, mode="tensor")
    assert answer.class_logits.shape == (2, 2, 4, 32, 32) and answer.best.shape == (2, 2, 32, 32)
    assert torch.equal(answer.best > 0, answer.class_logits.argmax(dim=2) > 0)


def test_its_speed_behind_the_image_encoder_is_measured(
    build: Build, clips: dict[str, Any]
) -> None:
    first = {k: v[0] for k, v in clips.items()}
    speed = measure_speed(build("avsegformer"), first, repeats=1, seconds=0.0)
    assert set(speed.frames_per_second) == {"fps", "decoder_fps"}


@pytest.mark.parametrize(("name", "millions"), [("", 113.91 - 2.10), ("_r50", 54.60)])
def test_as_many_parameters_are_trained_as_released(name: str, millions: float) -> None:
    """Less the 2.10 M that the released head holds and never uses."""
    cfg = config.load(f"methods/avsegformer{name}_v1m")
    cfg.model.image_encoder.weights = None
    cfg.model.audio_encoder = dict(type="VGGish", channels="mean", random_weights=True)
    with torch.device("meta"):
        model = build_model(cfg)
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert trained / 1e6 == pytest.approx(millions, abs=0.01)
