"""Low-rank bilinear pooling."""

import pytest
import torch

from auralsam2.models.fusion.bilinear import BilinearFusion

C = 16


@torch.no_grad()
def test_equals_the_formula_for_one_token() -> None:
    fusion = BilinearFusion(C, rank=6).eval()
    visual, audio = torch.randn(2, 3, 4, C), torch.randn(2, 3, C)
    token = visual[1, 0, 3]
    joint = fusion.visual_factor(token).tanh() * fusion.audio_factor(audio[1, 0]).tanh()
    expected = fusion.visual_norm(token + fusion.out(joint))
    torch.testing.assert_close(fusion(visual, audio).visual[1, 0, 3], expected)


@torch.no_grad()
def test_sums_factors_within_each_channel() -> None:
    fusion = BilinearFusion(C, rank=2, num_factors=3).eval()
    visual, audio = torch.randn(1, 1, 1, C), torch.randn(1, 1, C)
    products = (fusion.visual_factor(visual).tanh() * fusion.audio_factor(audio).tanh()).flatten()
    joint = torch.stack([products[:3].sum(), products[3:].sum()])
    expected = fusion.visual_norm(visual[0, 0, 0] + fusion.out(joint))
    torch.testing.assert_close(fusion(visual, audio).visual[0, 0, 0], expected)


def test_all_problems_at_once() -> None:
    with pytest.raises(ValueError, match="rank must be at least 1, got 0; num_factors .* got -1"):
        BilinearFusion(C, rank=0, num_factors=-1)
