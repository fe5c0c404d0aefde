"""Softmax attention with dropout on its weights, a frame's head at a time on the CPU.

PyTorch's fused attention of the CPU knows no dropout: with it, the weights, their mask and their
product are all written out. Here the weights of one head are in the cache when they are used, the
backward pass makes them anew, and a byte a weight is all that is kept of them.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from auralsam2.models.dropout import STEPS, draw_kept
from auralsam2.models.linear import multiplies_by_onednn, multiply

SMALLEST = 1 << 15
"""Weights of a head below which a call for each head costs more than it saves."""


class _SoftmaxAttention(torch.autograd.Function):
    """Of contiguous (P, L, c), (P, S, c), (P, S, c), with P the pairs of frame and head."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, rate: float) -> Tensor:
        kept, ctx.factor = None, 1.0
        if rate:
            kept, ctx.factor = draw_kept((*query.shape[:2], key.shape[1]), rate)
        ctx.save_for_backward(query, key, value, kept)
        read = torch.empty_like(query)
        weights = query.new_empty(query.shape[1], key.shape[1])
        mask = torch.empty_like(weights)
        scaled_key, scaled_value = key / math.sqrt(key.shape[-1]), value * ctx.factor
        for p in range(len(query)):
            torch.softmax(multiply(query[p], scaled_key[p]), -1, out=weights)
            if kept is not None:
                weights.mul_(mask.copy_(kept[p]))
            read[p] = multiply(weights, scaled_value[p].t())
        return read

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, kept = ctx.saved_tensors
        of_read = gradients[0].contiguous()
        of_query, of_key, of_value = (torch.empty_like(x) for x in (query, key, value))
        weights = query.new_empty(query.shape[1], key.shape[1])
        mask, of_scores = torch.empty_like(weights), torch.empty_like(weights)
        scale = 1 / math.sqrt(key.shape[-1])
        scaled_key, scaled_value = key * scale, value * ctx.factor
        for p in range(len(query)):
            torch.softmax(multiply(query[p], scaled_key[p]), -1, out=weights)
            of_weights, dropped = multiply(of_read[p], scaled_value[p]), weights
            if kept is not None:
                of_weights.mul_(mask.copy_(kept[p]))
                dropped = mask.mul_(weights)
            of_value[p] = multiply(dropped.t(), of_read[p].t())
            torch._softmax_backward_data(
                of_weights, weights, -1, weights.dtype, grad_input=of_scores
            )
            of_query[p] = multiply(of_scores, scaled_key[p].t())
            of_key[p] = multiply(of_scores.t(), query[p].t())
        return of_query, of_key.mul_(scale), of_value.mul_(ctx.factor), None


def softmax_attention(query: Tensor, key: Tensor, value: Tensor, rate: float = 0.0) -> Tensor:
    """As PyTorch's ``scaled_dot_product_attention``.

    Args:
        query: (B, H, L, c).
        key: (B, H, S, c).
        value: (B, H, S, c).
        rate: of the dropout on the weights.
    """
    num_weights = query.shape[2] * key.shape[2]
    if (
        num_weights < SMALLEST
        or not multiplies_by_onednn(query, key, value)
        or not 0 <= round(rate * STEPS) < STEPS
    ):
        return F.scaled_dot_product_attention(query, key, value, dropout_p=rate)
    pairs = (x.contiguous().flatten(0, 1) for x in (query, key, value))
    read: Tensor = _SoftmaxAttention.apply(*pairs, rate)
    return read.unflatten(0, query.shape[:2])
