"""The fuser: shapes for every number of levels, order of the levels, clips apart."""

import math

import pytest
import torch
from torch import Tensor

from auralsam2.models.attention import SpatialReductionAttention, TemporalSelfAttention
from auralsam2.models.fuser import (
    AuralFuser,
    level_depths,
    sine_position_1d,
    sine_position_2d,
)
from auralsam2.models.fusion.frame_wise import NoFusion
from auralsam2.models.fusion.tpavi import TwoWayTPAVIFusion
from auralsam2.models.pyramid import PatchEmbedPyramid
from auralsam2.structures import VisualPyramid

B, T, C, E = 2, 3, 32, 8


def _build(num_levels: int = 3, depth: int = 1, fusion: type = TwoWayTPAVIFusion) -> AuralFuser:
    levels = range(num_levels)
    return AuralFuser(
        pyramid=PatchEmbedPyramid(C, E, num_levels),
        visual_attentions=[SpatialReductionAttention(C, E, depth) for _ in levels],
        audio_attentions=[TemporalSelfAttention(C, depth) for _ in levels],
        fusions=[fusion(C) for _ in levels],
        channels=C,
        embedding_size=E,
    )


def _inputs(batch: int = B, frames: int = T) -> tuple[VisualPyramid, Tensor]:
    levels = tuple(torch.randn(batch, frames, C, E * s, E * s) for s in (4, 2, 1))
    return VisualPyramid(levels), torch.randn(batch, frames, C)


@pytest.mark.parametrize("num_levels", [1, 2, 3])
def test_one_output_a_level_and_modality(num_levels: int) -> None:
    out = _build(num_levels)(*_inputs())
    assert [v.shape for v in out.visual] == [(B, T, E * E, C)] * num_levels
    assert [a.shape for a in out.audio] == [(B, T, C)] * num_levels


def test_text_tokens_and_single_frames_pass() -> None:
    pyramid, audio = _inputs(batch=1, frames=1)
    fuser = _build(2)
    assert fuser(pyramid, audio).visual[1].shape == (1, 1, E * E, C)
    with_text = fuser(pyramid, torch.cat([audio, torch.randn(1, 25, C)], dim=1))
    assert with_text.audio[1].shape == (1, 26, C)


@torch.no_grad()
def test_levels_follow_the_equations() -> None:
    """Without blocks and fusion only patches, smoothing and position codes remain."""
    fuser = _build(depth=0, fusion=NoFusion)
    pyramid, audio = _inputs()
    out = fuser(pyramid, audio)
    patches = fuser.pyramid(pyramid)
    p, a = sine_position_2d(E, C), sine_position_1d(T, C)
    expected = patches[0] + 2 * p
    torch.testing.assert_close(out.visual[0], expected)
    for level in (1, 2):
        expected = fuser.smooth[level - 1](patches[level] + expected) + 2 * p
        torch.testing.assert_close(out.visual[level], expected)
        torch.testing.assert_close(out.audio[level], audio + 2 * (level + 1) * a)


@pytest.mark.parametrize(
    ("depths", "num_levels", "used"),
    [((3, 6, 12), 3, (3, 6, 12)), ((3, 6, 12), 1, (12,)), ((0, 2), 2, (0, 2))],
)
def test_depths_of_the_used_levels(
    depths: tuple[int, ...], num_levels: int, used: tuple[int, ...]
) -> None:
    assert level_depths(depths, num_levels) == used


@pytest.mark.parametrize("depths", [(1,), (1, -1)])
def test_depths_that_do_not_fit(depths: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="do not fit 2 pyramid level"):
        level_depths(depths, 2)


def test_lists_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="got 0, 0 and 1"):
        AuralFuser(
            pyramid=PatchEmbedPyramid(C, E, 1),
            visual_attentions=[],
            audio_attentions=[],
            fusions=[NoFusion(C)],
            channels=C,
            embedding_size=E,
        )


def test_a_pyramid_of_another_depth_is_refused() -> None:
    fuser = _build(2)
    fuser.pyramid = PatchEmbedPyramid(C, E, 3)
    with pytest.raises(ValueError, match="gives 3 level.* fuser has 2"):
        fuser(*_inputs())


# Sine codes against formulas written out one entry at a time.


def _naive(position: float, channel: int, channels: int) -> float:
    angle = position / 10000 ** (2 * (channel // 2) / channels)
    return math.sin(angle) if channel % 2 == 0 else math.cos(angle)


def test_1d_code_equals_the_formula() -> None:
    code = sine_position_1d(7, 12)
    expected = [[_naive(t, c, 12) for c in range(12)] for t in range(7)]
    torch.testing.assert_close(code, torch.tensor(expected))


@pytest.mark.parametrize("side", [1, 3])
def test_2d_code_is_y_then_x_normalised_to_one_turn(side: int) -> None:
    code = sine_position_2d(side, 16)
    assert code.shape == (side * side, 16)
    turn = [(i + 1) / side * 2 * math.pi for i in range(side)]
    for y in range(side):
        for x in range(side):
            expected = [_naive(turn[y], c, 8) for c in range(8)]
            expected += [_naive(turn[x], c, 8) for c in range(8)]
            torch.testing.assert_close(
                code[y * side + x], torch.tensor(expected), atol=1e-5, rtol=0
            )


def test_widths_that_do_not_divide_are_refused() -> None:
    with pytest.raises(ValueError, match="divisible by 4, got 30"):
        sine_position_2d(4, 30)
    with pytest.raises(ValueError, match="even number of channels, got 7"):
        sine_position_1d(4, 7)
