"""Pre-norm self-attention blocks of the visual and of the audio stream.

Both follow the pyramid vision transformer's block (PVT v2, Wang et al. 2022) as the paper uses it.
Comments name axes: L queries, S keys, H heads, c channels of a head.
"""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from auralsam2.models.dropout import dropout
from auralsam2.models.softmax_attention import softmax_attention
from auralsam2.registry import AUDIO_ATTENTIONS, VISUAL_ATTENTIONS
from auralsam2.shapes import check_shape


def init_attention_weights(module: nn.Module) -> None:
    """PVT's initialisation for ``nn.Module.apply``: linear 0.02, convolutions by their fan-out."""
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Conv2d):
        fan_out = math.prod(module.kernel_size) * module.out_channels // module.groups
        nn.init.normal_(module.weight, std=math.sqrt(2.0 / fan_out))
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def tokens_to_maps(tokens: Tensor, side: int) -> Tensor:
    """(B, side * side, C) tokens as (B, C, side, side) maps; a view, in channels-last memory."""
    return tokens.unflatten(1, (side, side)).permute(0, 3, 1, 2)


def maps_to_tokens(maps: Tensor) -> Tensor:
    """Inverse of :func:`tokens_to_maps`: (B, C, h, w) -> (B, h * w, C)."""
    return maps.permute(0, 2, 3, 1).flatten(1, 2)


def multi_head_attention(
    query: Tensor, key_value: Tensor, num_heads: int, rate: float = 0.0
) -> Tensor:
    """What queries (B, L, C) read through keys and values (B, S, 2 C), projected: (B, L, C)."""
    q = query.unflatten(-1, (num_heads, -1)).transpose(1, 2)  # (B, H, L, c)
    kv = key_value.unflatten(-1, (2, num_heads, -1))  # (B, S, 2, H, c)
    k, v = kv.permute(2, 0, 3, 1, 4)  # (B, H, S, c) each
    read = softmax_attention(q, k, v, rate)
    return read.transpose(1, 2).flatten(2)


class MultiHeadSelfAttention(nn.Module):
    """Softmax self-attention, with dropout on the attention weights and on the output.

    With a ``reduction`` above 1, keys and values are the tokens' map of side E after a convolution
    of this kernel and stride, normalised.
    """

    def __init__(
        self,
        channels: int,
        num_heads: int,
        dropout: float,
        reduction: int = 1,
        embedding_size: int | None = None,
    ) -> None:
        super().__init__()
        self.num_heads, self.dropout, self.embedding_size = num_heads, dropout, embedding_size
        self.q = nn.Linear(channels, channels)
        self.kv = nn.Linear(channels, 2 * channels)
        self.proj = nn.Linear(channels, channels)
        self.reduction: nn.Module | None = None
        if reduction > 1:
            self.reduction = nn.Conv2d(channels, channels, reduction, stride=reduction)
            self.reduction_norm = nn.LayerNorm(channels)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, L, C) -> (B, L, C)."""
        context = tokens
        if self.reduction is not None:
            assert self.embedding_size is not None
            maps = self.reduction(tokens_to_maps(tokens, self.embedding_size))
            context = self.reduction_norm(maps_to_tokens(maps))  # (B, S, C)
        rate = self.dropout if self.training else 0.0
        read = multi_head_attention(self.q(tokens), self.kv(context), self.num_heads, rate)
        out = self.proj(read)
        return dropout(out, self.dropout, self.training)


class FeedForward(nn.Module):
    """Linear, GELU, linear, with dropout behind the last two.

    Where the side E of a map is given, a depth-wise 3x3 convolution on it comes before the GELU.
    """

    def __init__(
        self, channels: int, hidden: int, dropout: float, embedding_size: int | None = None
    ) -> None:
        super().__init__()
        self.dropout, self.embedding_size = dropout, embedding_size
        self.fc1 = nn.Linear(channels, hidden)
        self.fc2 = nn.Linear(hidden, channels)
        self.depthwise: nn.Module | None = None
        if embedding_size is not None:
            self.depthwise = nn.Conv2d(hidden, hidden, 3, padding=1, groups=hidden)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, L, C) -> (B, L, C)."""
        hidden = self.fc1(tokens)
        if self.depthwise is not None:
            assert self.embedding_size is not None
            hidden = maps_to_tokens(self.depthwise(tokens_to_maps(hidden, self.embedding_size)))
        hidden = dropout(F.gelu(hidden), self.dropout, self.training)
        return dropout(self.fc2(hidden), self.dropout, self.training)


class AttentionBlock(nn.Module):
    """Pre-norm block: x + attention(LN(x)), then x + feed-forward(LN(x))."""

    def __init__(self, channels: int, attn: nn.Module, mlp: FeedForward) -> None:
        super().__init__()
        self.norm1, self.attn = nn.LayerNorm(channels), attn
        self.norm2, self.mlp = nn.LayerNorm(channels), mlp

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, L, C) -> (B, L, C)."""
        tokens = tokens + self.attn(self.norm1(tokens))
        return tokens + self.mlp(self.norm2(tokens))


class _AttentionBlocks(nn.Module):
    """Alike blocks, one behind the other; spatial ones where the side E of a map is given."""

    def __init__(
        self,
        channels: int,
        depth: int,
        num_heads: int,
        mlp_ratio: float,
        dropout: float,
        reduction: int = 1,
        embedding_size: int | None = None,
    ) -> None:
        super().__init__()
        if channels % num_heads:
            raise ValueError(f"attention: {channels} channels are not divisible by {num_heads=}")
        self.blocks = nn.Sequential(
            *(
                AttentionBlock(
                    channels,
                    MultiHeadSelfAttention(channels, num_heads, dropout, reduction, embedding_size),
                    FeedForward(channels, int(channels * mlp_ratio), dropout, embedding_size),
                )
                for _ in range(depth)
            )
        )
        self.apply(init_attention_weights)


@VISUAL_ATTENTIONS.register_module()
class SpatialReductionAttention(_AttentionBlocks):
    """Per-frame self-attention of the visual tokens with spatially reduced keys (published).

    Args:
        channels: C.
        embedding_size: E; the sequence is a frame's N = E * E tokens.
        depth: number of blocks; 0 gives the identity.
        num_heads: heads of the attention.
        mlp_ratio: width of the feed-forward's hidden layer over C.
        reduction: kernel and stride of the convolution that makes the keys' map; 1 = none.
        dropout: rate on attention weights, attention output and twice in the feed-forward.
        drop_remainder: where E is not divisible by the reduction, leave the last rows and columns
            out of the keys, as the released code does at 224 px.

    Raises:
        ValueError: where C is not divisible by the heads, or E not by the reduction.
    """

    def __init__(
        self,
        channels: int,
        embedding_size: int,
        depth: int,
        num_heads: int = 4,
        mlp_ratio: float = 4,
        reduction: int = 4,
        dropout: float = 0.1,
        drop_remainder: bool = False,
    ) -> None:
        if embedding_size % reduction and not drop_remainder:
            fits = ", ".join(str(r) for r in range(1, reduction + 1) if embedding_size % r == 0)
            raise ValueError(
                f"visual attention: a token map of side {embedding_size} is not divisible by "
                f"{reduction=}; set `model.visual_attention.reduction` to one of {fits}, choose an "
                f"image size whose map is (of SAM2, one divisible by {16 * reduction}), or set "
                "`model.visual_attention.drop_remainder` to True"
            )
        super().__init__(channels, depth, num_heads, mlp_ratio, dropout, reduction, embedding_size)
        self.num_tokens = embedding_size**2

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, T, N, C) -> (B, T, N, C); frames do not attend to each other."""
        check_shape(tokens, f"B T {self.num_tokens} C", name="visual tokens")
        return self.blocks(tokens.flatten(0, 1)).unflatten(0, tokens.shape[:2])


@AUDIO_ATTENTIONS.register_module()
class TemporalSelfAttention(_AttentionBlocks):
    """Self-attention over a clip's audio (and text) tokens (published).

    Args:
        channels: C.
        depth: number of blocks; 0 gives the identity.
        num_heads: heads of the attention.
        mlp_ratio: width of the feed-forward's hidden layer over C.
        dropout: rate, at the places of :class:`SpatialReductionAttention`.
    """

    def __init__(
        self,
        channels: int,
        depth: int,
        num_heads: int = 4,
        mlp_ratio: float = 4,
        dropout: float = 0.1,
    ) -> None:
        super().__init__(channels, depth, num_heads, mlp_ratio, dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, M, C) -> (B, M, C); the sequence is one clip."""
        check_shape(tokens, "B M C", name="audio tokens")
        return self.blocks(tokens)


@AUDIO_ATTENTIONS.register_module()
class ReleasedTemporalAttention(TemporalSelfAttention):
    """Computes what :class:`TemporalSelfAttention` does and owns what the release never uses.

    The released audio blocks are its visual blocks with another forward: a reduction convolution
    and its norm in the attention and a depth-wise convolution in the feed-forward remain, get no
    gradient, and stand in the published checkpoints (with the fusion's two, 9.73 M parameters).

    Args:
        channels: C.
        unused_reduction: kernel of the unused reduction convolution.
        **published: see :class:`TemporalSelfAttention`.
    """

    def __init__(self, channels: int, unused_reduction: int = 4, **published: Any) -> None:
        super().__init__(channels, **published)
        for block in self.blocks:
            assert isinstance(block, AttentionBlock)
            attention, feed_forward = block.attn, block.mlp
            reduction = nn.Conv2d(channels, channels, unused_reduction)
            attention.add_module("unused_reduction", reduction)
            attention.add_module("unused_reduction_norm", nn.LayerNorm(channels))
            hidden = feed_forward.fc1.out_features
            depthwise = nn.Conv2d(hidden, hidden, 3, groups=hidden)
            feed_forward.add_module("unused_depthwise", depthwise)
