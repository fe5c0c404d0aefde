"""Layers of AVSegFormer, by numbers that can be told by hand."""

from __future__ import annotations

import math
import sys

import pytest
import torch
from torch import nn

from auralsam2.models.methods.avsegformer_layers import (
    AudioQueries,
    ChannelMixer,
    DeformableAttention,
    DeformableEncoderLayer,
    centres,
    sine_code,
)


def test_the_code_counts_rows_and_columns_from_one() -> None:
    code = sine_code(2, 3, 8).reshape(2, 3, 8)
    for row, column in [(0, 0), (1, 2)]:
        rows, columns = row + 1, column + 1
        expected = [math.sin(rows), math.cos(rows), math.sin(rows / 100), math.cos(rows / 100)]
        expected += [math.sin(columns), math.cos(columns)]
        expected += [math.sin(columns / 100), math.cos(columns / 100)]
        assert code[row, column].tolist() == pytest.approx(expected, abs=1e-6)


def test_tokens_look_from_their_own_centres() -> None:
    found = centres([(1, 2), (2, 1)])
    assert found.tolist() == [[0.25, 0.5], [0.75, 0.5], [0.5, 0.25], [0.5, 0.75]]


def test_attention_begins_as_a_star() -> None:
    attention = DeformableAttention(16, num_heads=8, num_levels=2, num_points=3)
    bias = attention.offsets.bias.reshape(8, 2, 3, 2)
    directions = [(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)]
    for head, (x, y) in enumerate(directions):
        for point in range(3):
            far = torch.tensor([[x, y]] * 2) * (point + 1.0)
            torch.testing.assert_close(bias[head, :, point], far, atol=1e-5, rtol=0)
    assert not attention.offsets.weight.any() and not attention.weights.weight.any()


def test_an_offset_is_a_pixel_of_its_level_and_nothing_lies_outside() -> None:
    attention = DeformableAttention(4, num_heads=1, num_levels=1, num_points=1)
    for linear in (attention.value, attention.out):
        nn.init.eye_(linear.weight)
    seen = torch.randn(2, 6, 4)
    code = torch.randn(6, 4)
    out = attention(seen, code, [(2, 3)]).reshape(2, 2, 3, 4)
    expected = seen.reshape(2, 2, 3, 4).roll(-1, dims=2)  # one head looks one pixel to the right
    expected[:, :, -1] = 0
    torch.testing.assert_close(out, expected)


def test_a_code_steers_where_tokens_look_and_is_not_read() -> None:
    layer = DeformableEncoderLayer(8, num_heads=2, num_levels=2, hidden=8, dropout=0.0)
    tokens, code = torch.randn(1, 10, 8), torch.randn(10, 8)
    sides = [(2, 4), (1, 2)]
    there = layer(tokens, code, sides)
    torch.testing.assert_close(layer(tokens, 0 * code, sides), there)  # offsets: biases alone
    nn.init.normal_(layer.attention.offsets.weight)
    assert (layer(tokens, code, sides) - there).abs().max() > 1e-3


def test_the_sound_adds_the_same_vector_to_all_queries() -> None:
    queries = AudioQueries(8, num_queries=5, num_layers=1, num_heads=2, hidden=16)
    (layer,) = queries.layers
    added = layer.multihead_attn(torch.randn(3, 5, 8), *[torch.randn(3, 1, 8)] * 2)[0]
    torch.testing.assert_close(added, added[:, :1].expand(-1, 5, -1))
    out = queries(torch.randn(3, 1, 8))
    assert out.shape == (3, 5, 8) and (out[0] - out[1]).abs().max() > 1e-3


@pytest.mark.parametrize("num_frames", [1, 3])
def test_the_mixer_weighs_channels_of_any_number_of_frames(num_frames: int) -> None:
    pixels = torch.rand(num_frames, 8, 2, 3) + 0.5
    out = ChannelMixer(8, num_heads=2)(pixels, torch.randn(num_frames, 1, 8))
    gate = out / pixels
    assert ((gate > 0) & (gate < 1)).all()
    torch.testing.assert_close(gate, gate[..., :1, :1].expand_as(gate))
    assert gate[0, :, 0, 0].std() > 0


def test_without_transformers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers.models.mask2former.modeling_mask2former", None)
    with pytest.raises(ImportError, match="AVSegFormer needs transformers: pip install"):
        DeformableAttention(8)
