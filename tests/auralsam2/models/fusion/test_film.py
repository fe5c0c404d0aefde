"""Feature-wise linear modulation."""

import pytest
import torch

from auralsam2.models.fusion.film import FiLMFusion

C = 16


@torch.no_grad()
def test_scales_around_one_and_shifts() -> None:
    fusion = FiLMFusion(C)
    visual, audio = torch.randn(2, 3, 4, C), torch.randn(2, 3, C)
    token, heard = visual[0, 1, 2], audio[0, 1]
    expected = fusion.visual_norm((1 + fusion.scale(heard)) * token + fusion.shift(heard))
    torch.testing.assert_close(fusion(visual, audio).visual[0, 1, 2], expected)


@torch.no_grad()
def test_sigmoid_gate_without_shift_lets_channels_through_in_part() -> None:
    fusion = FiLMFusion(C, gate="sigmoid", shift=False)
    assert {n for n, _ in fusion.named_parameters() if "norm" not in n} == {
        "scale.weight",
        "scale.bias",
    }
    fusion.visual_norm = torch.nn.Identity()
    visual, audio = torch.randn(1, 2, 3, C), torch.randn(1, 2, C)
    share = fusion(visual, audio).visual / visual
    assert share.min() > 0 and share.max() < 1
    torch.testing.assert_close(share, share[:, :, :1].expand_as(share))  # channels, not places


def test_unknown_gate() -> None:
    with pytest.raises(ValueError, match="gate='tanh'; known: linear, sigmoid"):
        FiLMFusion(C, gate="tanh")
