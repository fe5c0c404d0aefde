"""AVSegFormer's head: how large its parts are, what it gives, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from auralsam2.models.methods.avsegformer_head import AVSegFormerHead

SMALL: dict[str, Any] = dict(
    channels=32,
    num_queries=5,
    num_layers=(1, 2, 1),
    num_heads=4,
    audio_heads=2,
    hidden_channels=16,
    query_hidden_channels=8,
    map_channels=12,
    head_channels=(8, 4),
)


def maps_of(num_frames: int, side: int = 16) -> list[Tensor]:
    return [torch.randn(num_frames, 4 + i, side >> i, side >> i) for i in range(4)]


def millions(*modules: nn.Module) -> float:
    return sum(p.numel() for module in modules for p in module.parameters()) / 1e6


def test_as_large_as_the_released_head_less_what_that_never_uses() -> None:
    with torch.device("meta"):
        head = AVSegFormerHead((64, 128, 320, 512))
    assert millions(head) == pytest.approx(32.44 - 2.10, abs=0.01)
    assert millions(head.encoder) == pytest.approx(7.55, abs=0.01)
    assert millions(head.decoder) == pytest.approx(9.47, abs=0.01)
    assert millions(head.queries.layers) + 0.0768 == pytest.approx(6.39, abs=0.01)
    assert millions(head.map_mlp) == pytest.approx(5.34, abs=0.01)


@pytest.mark.parametrize(("num_classes", "enlargement"), [(1, 4), (5, 2)])
def test_one_map_a_class(num_classes: int, enlargement: int) -> None:
    head = AVSegFormerHead(
        (4, 5, 6, 7), **SMALL, num_classes=num_classes, enlargement=enlargement
    ).eval()
    maps, audio = maps_of(3), torch.randn(3, 1, 32)
    out = head(maps, audio)
    assert out.logits.shape == (3, num_classes, 16 * enlargement, 16 * enlargement)
    assert out.mask_feature.shape == (3, 32, 16, 16)
    alone = head([level[1:2] for level in maps], audio[1:2])
    for ours, single in zip(out, alone, strict=True):
        torch.testing.assert_close(ours[1:2], single, atol=1e-5, rtol=1e-4)


def test_frames_need_not_be_square() -> None:
    head = AVSegFormerHead((4, 5, 6, 7), **SMALL)
    maps = [torch.randn(2, 4 + i, 8 >> i, 16 >> i) for i in range(4)]
    assert head(maps, torch.randn(2, 1, 32)).logits.shape == (2, 1, 32, 64)


def test_everything_learns() -> None:
    head = AVSegFormerHead((4, 5, 6, 7), **SMALL)
    out = head(maps_of(2), torch.randn(2, 1, 32))
    (out.logits.square().sum() + out.mask_feature.sum()).backward()
    # A group norm takes the bias before it out again; all else counts.
    assert [name for name, p in head.named_parameters() if p.grad is None] == []


def test_all_mistakes_are_told_at_once() -> None:
    wrong = {**SMALL, "channels": 40, "num_heads": 3, "num_layers": (1, 2), "head_channels": (8,)}
    with pytest.raises(ValueError, match="multiple of 32, got 40; num_heads must divide") as error:
        AVSegFormerHead((4, 5, 6, 7), **wrong)
    assert "num_layers must be those of encoder, decoder" in str(error.value)
    assert "head_channels must be two widths, got (8,)" in str(error.value)
