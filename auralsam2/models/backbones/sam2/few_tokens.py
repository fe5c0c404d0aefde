"""SAM2's attention between a few tokens and many image positions, with far fewer products.

With K tokens and N >> K positions, the projections of all N positions are most of the cost. Here
they are applied to the K tokens instead: ``(q W_q) (x W_k)^T = (q W_q W_k^T) x^T`` a head, and what
is read is projected after it was read. The numbers are those of the official ``Attention`` up to
rounding. Axes: R rows, H heads, c channels of all heads together, C channels outside.
"""

from __future__ import annotations

import torch
from sam2.modeling.sam.transformer import Attention
from torch import Tensor
from torch.nn import functional as F

from auralsam2.models.linear import linear


def head_masks(attention: Attention, like: Tensor) -> Tensor:
    """(H, c), 1 at the channels of each head."""
    heads, inner = attention.num_heads, attention.internal_dim
    blocks = torch.eye(heads, dtype=like.dtype, device=like.device)
    return blocks.repeat_interleave(inner // heads, dim=1)


def read_image(
    attention: Attention, masks: Tensor, tokens: Tensor, keys: Tensor, values: Tensor
) -> Tensor:
    """What tokens (R, K, C) read of positions with keys and values (R, N, C): (R, K, C).

    Args:
        attention: the official one.
        masks: of :func:`head_masks`.
        tokens: queries, their positional code included.
        keys: positional code included.
        values: without it.
    """
    num_tokens, (heads, inner) = tokens.shape[1], masks.shape
    query = F.linear(tokens, attention.q_proj.weight, attention.q_proj.bias)
    scale = (inner // heads) ** -0.5
    by_head = (query[:, :, None] * (masks * scale)).flatten(1, 2)  # (R, K H, c)
    # The bias of the keys is the same for all positions: softmax does not see it.
    absorbed = linear(by_head, attention.k_proj.weight.t())  # (R, K H, C)
    weights = torch.bmm(absorbed, keys.transpose(1, 2)).softmax(dim=-1)
    read = linear(torch.bmm(weights, values), attention.v_proj.weight)  # (R, K H, c)
    own = (read.unflatten(1, (num_tokens, heads)) * masks).sum(dim=2) + attention.v_proj.bias
    return F.linear(own, attention.out_proj.weight, attention.out_proj.bias)


def write_image(
    attention: Attention,
    masks: Tensor,
    image: Tensor,
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
) -> Tensor:
    """Image positions (R, N, C) plus what they read of K tokens: (R, N, C).

    Args:
        attention: the official one.
        masks: of :func:`head_masks`.
        image: what the reading is added to.
        queries: (R, N, C) the same with its positional code.
        keys: (R, K, C) tokens with their positional code.
        values: (R, K, C) without it.
    """
    num_tokens, (heads, inner) = keys.shape[1], masks.shape
    key = F.linear(keys, attention.k_proj.weight, attention.k_proj.bias)
    value = F.linear(values, attention.v_proj.weight, attention.v_proj.bias)
    scale = (inner // heads) ** -0.5
    by_head = (key[:, :, None] * (masks * scale)).flatten(1, 2)  # (R, K H, c)
    absorbed = linear(by_head, attention.q_proj.weight.t())  # (R, K H, C)
    bias = by_head @ attention.q_proj.bias  # (R, K H)
    scores = torch.baddbmm(bias[:, None], queries, absorbed.transpose(1, 2))
    weights = scores.unflatten(-1, (num_tokens, heads)).softmax(dim=-2).flatten(-2)
    # The weights of a head sum to one, so that every head brings its share of the output's bias.
    written = linear(
        (value[:, :, None] * masks).flatten(1, 2),
        attention.out_proj.weight,
        attention.out_proj.bias / heads,
    )
    return torch.baddbmm(image, weights, written)
