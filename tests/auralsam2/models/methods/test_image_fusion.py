"""What methods with an audio token add to the image embedding."""

from __future__ import annotations

import pytest
import torch

from auralsam2.models.injection import SITES
from auralsam2.models.methods.image_fusion import IMAGE_FUSIONS

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
