"""The sound as tokens of the decoder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from auralsam2.models.injection import SITES
from auralsam2.models.methods.audio_token import IMAGE_FUSIONS, AudioPrompt

Build = Callable[..., Any]


@pytest.mark.parametrize("visual_context", [False, True])
def test_tokens_of_a_frame(visual_context: bool) -> None:
    prompt = AudioPrompt(6, 8, num_tokens=3, visual_context=visual_context)
    audio, features = torch.randn(2, 5, 6), torch.randn(2, 5, 8, 4, 4)
    tokens = prompt(audio, features)
    assert tokens.shape == (2, 5, 3, 8)
    louder = audio.clone()
    louder[1, 2] += 1
    changed = (prompt(louder, features) != tokens).flatten(2).any(2).nonzero().tolist()
    assert changed == [[1, 2]]
    assert torch.equal(prompt(audio, features + 1), tokens) != visual_context


@pytest.mark.parametrize("image_fusion", [None, "pixel", "correlation"])
def test_each_variant_of_the_papers_hears(
    image_fusion: str | None, build: Build, best: Callable[..., Tensor], clips: dict[str, Any]
) -> None:
    model = build("audio_token", image_fusion=image_fusion, num_tokens=2, trained_parts=())
    assert not any(p.requires_grad for p in model.backbone.parameters())
    louder = dict(clips, log_mel=clips["log_mel"] + 3)
    assert not torch.equal(best(model, clips), best(model, louder))
    sum(model.train()(**clips).values()).backward()
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)


def test_image_fusion_reaches_the_masks(
    build: Build, best: Callable[..., Tensor], clips: dict[str, Any]
) -> None:
    for name in ("pixel", "correlation"):
        model = build("audio_token", image_fusion=name)
        before = best(model, clips)
        for p in model.image_fusion.parameters():
            torch.nn.init.normal_(p, std=0.1)
        assert not torch.equal(best(model, clips), before), name


def test_all_problems_are_told_at_once(build: Build) -> None:
    with pytest.raises(ValueError) as caught:
        build("audio_token", num_tokens=0, image_fusion="pixels")
    assert "num_tokens=0" in str(caught.value)
    assert "image_fusion='pixels'; known: pixel, correlation, None" in str(caught.value)


B, T, C, E, D = 2, 3, 8, 4, 6


@pytest.mark.parametrize("name", sorted(IMAGE_FUSIONS))
def test_contract(name: str) -> None:
    fusion = IMAGE_FUSIONS[name](C, D)
    features, audio = torch.randn(B, T, C, E, E), torch.randn(B, T, D, requires_grad=True)
    added = fusion(features, audio)
    assert len(added) == len(fusion.sites) and set(fusion.sites) <= set(SITES)
    assert all(a.shape == (B, T, E * E, C) and not a.any() for a in added), "starts at zero"
    for layer in fusion.modules():
        if isinstance(layer, torch.nn.Linear):
            torch.nn.init.normal_(layer.weight)
    sum(a.square().sum() for a in fusion(features, audio)).backward()
    assert audio.grad is not None and (audio.grad != 0).any()
    assert all((p.grad != 0).any() for p in fusion.parameters() if p.ndim == 2)


@pytest.mark.parametrize("name", sorted(IMAGE_FUSIONS))
def test_each_pixel_and_each_frame_stands_alone(name: str) -> None:
    fusion = IMAGE_FUSIONS[name](C, D)
    for layer in fusion.modules():
        if isinstance(layer, torch.nn.Linear):
            torch.nn.init.normal_(layer.weight)
    features, audio = torch.randn(B, T, C, E, E), torch.randn(B, T, D)
    moved, louder = features.clone(), audio.clone()
    moved[0, 1, :, 2, 3] += 1
    louder[1, 2] += 1
    for before, pixel, frame in zip(
        fusion(features, audio), fusion(moved, audio), fusion(features, louder)
    ):
        changed = (pixel != before).any(dim=3).nonzero().tolist()
        assert changed == [[0, 1, 2 * E + 3]]
        assert (frame != before).any(dim=3).all(dim=2).nonzero().tolist() == [[1, 2]]
