"""Layers of AVSegFormer: deformable encoder, queries of the sound, channel mixer.

Axes: F frames, C channels, L levels, N tokens of a frame on all levels, Q queries, h and w sides
of a map. Frames never see each other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from auralsam2.models.weights.folder import INSTALL

TEMPERATURE = 10_000.0

Sides = Sequence[tuple[int, int]]
"""Height and width of each level's map, in the order of the tokens."""


def sine_code(height: int, width: int, channels: int) -> Tensor:
    """Two-dimensional sine code of pixel positions, which count from 1 and are not normalised.

    Returns:
        (h w, C); the first C / 2 channels say the row, the others the column, sines and cosines
        in turn.
    """
    exponent = torch.arange(0, channels // 2, 2) / (channels // 2)
    angles = [
        torch.arange(1, side + 1)[:, None] / TEMPERATURE**exponent for side in (height, width)
    ]
    rows, columns = (torch.stack([a.sin(), a.cos()], dim=-1).flatten(1) for a in angles)
    both = rows[:, None].expand(-1, width, -1), columns.expand(height, -1, -1)
    return torch.cat(both, dim=-1).flatten(0, 1)


def centres(sides: Sides) -> Tensor:
    """(N, 2) centre of every token in its own map, x before y, sides of length 1."""
    grids = []
    for height, width in sides:
        y, x = ((torch.arange(side) + 0.5) / side for side in (height, width))
        grids.append(torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1).flatten(0, 1))
    return torch.cat(grids)


class DeformableAttention(nn.Module):
    """Multi-scale deformable self-attention (Deformable DETR, Zhu et al. 2021, equation 3).

    Every token reads ``num_points`` places a level and head, relative to its own centre, which it
    chooses itself; the sampling is that of transformers.

    Raises:
        ImportError: naming the extra to install where transformers is missing.
    """

    def __init__(
        self, channels: int, num_heads: int = 8, num_levels: int = 3, num_points: int = 4
    ) -> None:
        super().__init__()
        try:
            from transformers.models.mask2former.modeling_mask2former import (
                multi_scale_deformable_attention,
            )
        except ImportError as error:
            raise ImportError(f"AVSegFormer needs transformers: {INSTALL}") from error
        self.sample = multi_scale_deformable_attention
        self.split = (num_heads, num_levels, num_points)
        samples = math.prod(self.split)
        self.offsets = nn.Linear(channels, 2 * samples)
        self.weights = nn.Linear(channels, samples)
        self.value = nn.Linear(channels, channels)
        self.out = nn.Linear(channels, channels)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Each head begins in a direction of its own, its k-th point k pixels away."""
        heads, levels, points = self.split
        angle = torch.arange(heads) * (2 * math.pi / heads)
        star = torch.stack([angle.cos(), angle.sin()], dim=-1)
        star = star / star.abs().amax(dim=-1, keepdim=True)
        bias = star[:, None, None] * torch.arange(1, points + 1)[:, None]  # (heads, 1, points, 2)
        for linear in (self.offsets, self.weights):
            nn.init.zeros_(linear.weight)
            nn.init.zeros_(linear.bias)
        with torch.no_grad():
            self.offsets.bias.copy_(bias.expand(-1, levels, -1, -1).flatten())
        for linear in (self.value, self.out):
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)

    def forward(self, tokens: Tensor, code: Tensor, sides: Sides) -> Tensor:
        """Tokens (F, N, C) and their code (N, C) -> (F, N, C); values are read without the code."""
        query = tokens + code
        offsets = self.offsets(query).unflatten(-1, (*self.split, 2))
        weights = self.weights(query).unflatten(-1, (self.split[0], -1)).softmax(dim=-1)
        # Offsets are pixels of the level that they look at.
        scale = tokens.new_tensor([(width, height) for height, width in sides])[:, None]
        places = centres(sides).to(tokens)[:, None, None, None] + offsets / scale
        values = self.value(tokens).unflatten(-1, (self.split[0], -1))
        weights = weights.unflatten(-1, self.split[1:])
        return self.out(self.sample(values, sides, places, weights))  # type: ignore[no-any-return]


class DeformableEncoderLayer(nn.Module):
    """Deformable attention and an MLP, each added and normalised afterwards."""

    def __init__(
        self, channels: int, num_heads: int, num_levels: int, hidden: int, dropout: float
    ) -> None:
        super().__init__()
        self.attention = DeformableAttention(channels, num_heads, num_levels)
        self.dropout = nn.Dropout(dropout)
        self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.mlp = nn.Sequential(
            nn.Linear(channels, hidden),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, channels),
            nn.Dropout(dropout),
        )
        for linear in (self.mlp[0], self.mlp[3]):
            nn.init.xavier_uniform_(linear.weight)

    def forward(self, tokens: Tensor, code: Tensor, sides: Sides) -> Tensor:
        """Tokens (F, N, C) and their code (N, C) -> (F, N, C)."""
        tokens = self.norm1(tokens + self.dropout(self.attention(tokens, code, sides)))
        return self.norm2(tokens + self.mlp(tokens))  # type: ignore[no-any-return]


def query_layer(
    channels: int, num_heads: int, hidden: int, dropout: float = 0.0, attention_bias: bool = True
) -> nn.TransformerDecoderLayer:
    """Self-attention among queries, cross-attention and an MLP, normalised after each."""
    layer = nn.TransformerDecoderLayer(
        channels, num_heads, hidden, dropout, activation="gelu", batch_first=True
    )
    if not attention_bias:
        for name in ("self_attn", "multihead_attn"):
            bare = nn.MultiheadAttention(channels, num_heads, dropout, False, batch_first=True)
            setattr(layer, name, bare)
    return layer


class AudioQueries(nn.Module):
    """Learned queries that have heard the frame (AVSegFormer's query generator).

    The sound is one token: its cross-attention has nothing to choose from and adds the same
    vector to every query of a frame.
    """

    def __init__(
        self, channels: int, num_queries: int, num_layers: int, num_heads: int, hidden: int
    ) -> None:
        super().__init__()
        self.start = nn.Parameter(torch.randn(num_queries, channels))
        self.learned = nn.Parameter(torch.randn(num_queries, channels))
        self.layers = nn.ModuleList(
            query_layer(channels, num_heads, hidden, attention_bias=False)
            for _ in range(num_layers)
        )

    def forward(self, audio: Tensor) -> Tensor:
        """(F, 1, C) -> (F, Q, C)."""
        queries = self.start.expand(len(audio), -1, -1)
        for layer in self.layers:
            queries = layer(queries, audio)
        return queries + self.learned


class ChannelMixer(nn.Module):
    """Weigh the channels of a map by what the sound finds in it, one weight a frame and channel."""

    def __init__(self, channels: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.query = nn.Linear(channels, channels, bias=False)
        self.key_value = nn.Linear(channels, 2 * channels, bias=False)
        self.out = nn.Linear(channels, channels)

    def forward(self, pixels: Tensor, audio: Tensor) -> Tensor:
        """(F, C, h, w) and (F, 1, C) -> (F, C, h, w)."""
        tokens = pixels.flatten(2).transpose(1, 2)
        query, key, value = (
            x.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
            for x in (self.query(audio), *self.key_value(tokens).chunk(2, dim=-1))
        )
        heard = F.scaled_dot_product_attention(query, key, value)  # (F, heads, 1, C / heads)
        gate = self.out(heard.transpose(1, 2).flatten(2)).sigmoid()
        return pixels * gate.transpose(1, 2)[..., None]
