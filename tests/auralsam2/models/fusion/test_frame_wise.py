"""Blocks in which nothing attends, each against its formula."""

import pytest
import torch
from torch.nn import functional as F

from auralsam2.models.fusion.frame_wise import (
    BilinearFusion,
    ConcatMLPFusion,
    FiLMFusion,
    audio_of_frames,
)

C = 16


def test_own_token_and_the_mean_of_the_words() -> None:
    visual, audio = torch.zeros(2, 3, 4, 8), torch.randn(2, 5, 8)
    heard = audio_of_frames(visual, audio)
    assert heard.shape == (2, 3, 1, 8)
    torch.testing.assert_close(heard[1, 2, 0], audio[1, 2] + (audio[1, 3] + audio[1, 4]) / 2)


def test_without_text_the_token_itself() -> None:
    audio = torch.randn(2, 3, 8)
    assert torch.equal(audio_of_frames(torch.zeros(2, 3, 4, 8), audio)[:, :, 0], audio)


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


@torch.no_grad()
def test_concatenation_equals_the_formula_for_one_token() -> None:
    fusion = ConcatMLPFusion(C, hidden_channels=24).eval()
    visual, audio = torch.randn(2, 3, 4, C), torch.randn(2, 3, C)
    out = fusion(visual, audio)
    token = visual[1, 2, 3]
    hidden = F.gelu(fusion.hidden(torch.cat([token, audio[1, 2]])))
    torch.testing.assert_close(out.visual[1, 2, 3], fusion.visual_norm(token + fusion.out(hidden)))
    assert out.audio is audio and hidden.shape == (24,)


@torch.no_grad()
def test_bilinear_equals_the_formula_for_one_token() -> None:
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


def test_all_problems_of_a_bilinear_block_at_once() -> None:
    with pytest.raises(ValueError, match="rank must be at least 1, got 0; num_factors .* got -1"):
        BilinearFusion(C, rank=0, num_factors=-1)
