"""Dropout on the CPU whose mask is a byte an element, drawn four elements at a time.

PyTorch's draws elements one by one and keeps masks as wide as the elements. Everything here runs
over pieces that fit into the cache, so that nothing but result and mask is written to memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

STEPS = 1 << 16
"""Rates are rounded to multiples of one over so many; 0.1 becomes 0.100006."""
PIECE = 1 << 16
"""Elements of a piece."""


def draw_kept(shape: Sequence[int], rate: float) -> tuple[Tensor, float]:
    """Which elements stay, as bool of this shape, and what they are multiplied by.

    Draws come from torch's default generator, whose seed every training step sets.
    """
    kept, dropped = torch.empty(shape, dtype=torch.bool), round(rate * STEPS)
    words = torch.empty(PIECE // 4, dtype=torch.int64)  # 64 bits decide on four elements
    for piece in kept.view(-1).split(PIECE):
        words[: (len(piece) + 3) // 4].random_(-(2**63), None)
        draws = words.view(torch.int16)[: len(piece)]
        torch.ge(draws, dropped - STEPS // 2, out=piece)
    return kept, STEPS / (STEPS - dropped)


def _masked(x: Tensor, kept: Tensor, factor: float) -> Tensor:
    x = x.contiguous()
    result, buffer = torch.empty_like(x), torch.empty(PIECE, dtype=x.dtype)
    pieces = zip(*(t.view(-1).split(PIECE) for t in (kept, x, result)), strict=True)
    for of_kept, piece, out in pieces:
        torch.mul(piece, buffer[: len(of_kept)].copy_(of_kept).mul_(factor), out=out)
    return result


class _Dropout(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, rate: float) -> Tensor:
        kept, ctx.factor = draw_kept(x.shape, rate)
        ctx.save_for_backward(kept)
        return _masked(x, kept, ctx.factor)

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return _masked(gradients[0], *ctx.saved_tensors, ctx.factor), None


def dropout(x: Tensor, rate: float, training: bool) -> Tensor:
    """As :func:`torch.nn.functional.dropout`; other draws on the CPU, to the same distribution."""
    cheap = x.device.type == "cpu" and not torch.compiler.is_compiling()
    if not (training and cheap and 0 < round(rate * STEPS) < STEPS):
        return F.dropout(x, rate, training)
    result: Tensor = _Dropout.apply(x, rate)
    return result
