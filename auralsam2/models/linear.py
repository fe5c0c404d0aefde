"""Linear layers on processors whose fastest matrix products torch does not take by itself.

In single precision torch multiplies matrices by MKL, which has AVX-512 kernels for processors of
one maker only; oneDNN, which comes with torch too, has them for all. On such a machine a linear
layer of a few hundred rows takes half of the time.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

MIN_PRODUCTS = 2**20
"""Of multiplications; below, what a call costs in Python is more than is won."""


@cache
def prefers_onednn() -> bool:
    """Whether this is a processor on which oneDNN multiplies single precision faster than MKL."""
    mkl_alone = torch.backends.mkl.is_available() and torch.backends.mkldnn.is_available()
    if not mkl_alone or torch.backends.cpu.get_cpu_capability() != "AVX512":
        return False
    described = Path("/proc/cpuinfo")
    return described.is_file() and "AuthenticAMD" in described.read_text(errors="replace")


def multiplies_by_onednn(*tensors: Tensor) -> bool:
    """Whether oneDNN is to multiply these: single precision on such a processor."""
    return (
        prefers_onednn()
        and all(t.device.type == "cpu" and t.dtype == torch.float32 for t in tensors)
        and not torch.is_autocast_enabled("cpu")
        and not torch.compiler.is_compiling()
    )


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``F.linear``, (..., I) by (O, I), by the library that is faster here; up to rounding."""
    width = x.shape[-1]
    few = x.numel() // width * weight.numel() < MIN_PRODUCTS
    if few or not multiplies_by_onednn(x, weight):
        return F.linear(x, weight, bias)
    rows = _Product.apply(x.reshape(-1, width), weight, bias)
    return rows.view(*x.shape[:-1], len(weight))


class _Product(torch.autograd.Function):
    """x W^T + b of (R, I), (O, I), (O,)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return multiply(x, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        wanted = ctx.needs_input_grad
        return (
            multiply(grad, weight.t()) if wanted[0] else None,
            multiply(grad.t(), x.t()) if wanted[1] else None,
            grad.sum(dim=0) if wanted[2] else None,
        )


def multiply(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """X W^T + b of (R, I), (O, I), (O,); quick where either is contiguous or transposed."""
    # What torch's own compiler calls for a linear layer on the CPU.
    product: Tensor = torch.ops.mkldnn._linear_pointwise.default(x, weight, bias, "none", [], "")
    return product


class QuickLinear(nn.Linear):
    """``nn.Linear`` by :func:`linear`."""

    def forward(self, x: Tensor) -> Tensor:
        """(..., I) -> (..., O)."""
        return linear(x, self.weight, self.bias)


def quicken_linear_layers(model: nn.Module) -> None:
    """Let all linear layers of a model multiply by :func:`linear`; weights, names, hooks stay."""
    if prefers_onednn():
        for module in model.modules():
            if type(module) is nn.Linear:
                module.__class__ = QuickLinear
