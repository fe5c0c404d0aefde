"""Pixels that meet the sound in front of the decoder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from auralsam2 import config
from auralsam2.builder import UnknownComponentError
from auralsam2.models.methods.av_sam import PixelFusion
from auralsam2.registry import MODELS

Build = Callable[..., Any]
F, C, E, D = 3, 8, 4, 6


def shaken(module: torch.nn.Module) -> Any:
    """The module with random weights, also those that start at zero."""
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return module


def test_each_pixel_and_each_frame_stands_alone() -> None:
    fusion = PixelFusion(C, D)
    features, audio = torch.randn(F, C, E, E), torch.randn(F, D)
    assert torch.equal(fusion(features, audio), features), "starts at zero"
    before = shaken(fusion)(features, audio)
    moved, louder = features.clone(), audio.clone()
    moved[1, :, 2, 3] += 1
    louder[2] += 1
    changed = (fusion(moved, audio) != before).any(dim=1).nonzero().tolist()
    assert changed == [[1, 2, 3]]
    heard = (fusion(features, louder) != before).any(dim=1).flatten(1)
    assert heard.all(dim=1).tolist() == [False, False, True] and not heard[:2].any()
    with pytest.raises(ValueError, match="audio vectors must have shape"):
        fusion(features, audio[:1])


def test_the_sound_reaches_decoder_and_prompt_encoder(
    build: Build, best: Callable[..., Tensor], clips: dict[str, Any]
) -> None:
    louder = dict(clips, log_mel=clips["log_mel"] + 3)
    for part in ("fusion", "mask_prompt"):
        model = build("av_sam")
        before = best(model, clips)
        assert torch.equal(before, best(model, louder)), "nothing is heard at the start"
        shaken(getattr(model, part))
        after = best(model, clips)
        assert not torch.equal(after, before), part
        if part == "fusion":
            assert not torch.equal(after, best(model, louder))


def test_sizes(build: Build) -> None:
    """C^2 + C of either convolution, D C of the audio, C + 1 of the prompt; D 256, C 128."""
    model = build("av_sam", trained_parts=())
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert trained == 2 * (128**2 + 128) + model.audio_encoder.out_channels * 128 + 129


def test_what_was_called_otherwise() -> None:
    for size in ("", "_mini"):
        node = config.load(f"methods/audio_token{size}_v1m").model
        assert node == config.load(f"methods/av_sam{size}_v1m").model
    with pytest.raises(UnknownComponentError, match="in its place there is AVSAM, after the"):
        MODELS.build(dict(type="AudioTokenSAM2"))
