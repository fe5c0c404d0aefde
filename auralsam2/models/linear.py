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

MIN_PRODUCTS = 2**20
"""Of multiplications; below, what a call costs in Python is more than is won."""


@cache
def prefers_onednn() -> bool:
    """Whether this is a processor on which oneDNN multiplies single precision faster than MKL."""
    both = torch.backends.mkl.is_available() and torch.backends.mkldnn.is_available()
    if not both or torch.backends.cpu.get_cpu_capability() != "AVX512":
        return False
    if not hasattr(torch.ops.mkldnn, "_linear_pointwise"):  # private: it may go
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
        and not torch._C._are_functorch_transforms_active()  # type: ignore[attr-defined]
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
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        of_x, of_weight, of_bias = ctx.needs_input_grad
        if torch.is_grad_enabled():  # somebody wants gradients of gradients
            products = grad @ weight, grad.t() @ x
        else:
            products = (
                multiply(grad, weight.t()) if of_x else None,
                _of_weight(grad, x) if of_weight else None,
            )
        return *products, grad.sum(dim=0) if of_bias else None


def _of_weight(grad: Tensor, x: Tensor) -> Tensor:
    """(O, I) gradient of a weight; the longer side goes into the columns, which is quicker."""
    if grad.shape[1] > x.shape[1]:
        return multiply(x.t(), grad.t()).t()
    return multiply(grad.t(), x.t())


def multiply(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """X W^T + b of (R, I), (O, I), (O,)."""
    # What torch's own compiler calls for a linear layer on the CPU. Columns cut out of a wider
    # weight would take it a thousand times as long.
    x, weight = _dense(x), _dense(weight)
    product: Tensor = torch.ops.mkldnn._linear_pointwise.default(x, weight, bias, "none", [], "")
    return product


def _dense(matrix: Tensor) -> Tensor:
    """The matrix, row after row or column after column without gaps."""
    return matrix if matrix.is_contiguous() or matrix.t().is_contiguous() else matrix.contiguous()


class QuickLinear(nn.Linear):
    """``nn.Linear`` by :func:`linear`."""

    def forward(self, x: Tensor) -> Tensor:
        """(..., I) -> (..., O)."""
        return linear(x, self.weight, self.bias)


class QuickPatches(nn.Conv2d):
    """A convolution whose patches neither overlap nor leave gaps, by :func:`linear`.

    Maps whose channels come last in memory are rows of patches without much copying, and what comes
    out is of that kind. Larger patches of others go torch's way.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, O, H / k, W / k)."""
        height, width = self.kernel_size
        if (
            x.dim() != 4  # torch also takes maps without a batch
            or not multiplies_by_onednn(x, self.weight)
            or x.shape[2] % height
            or x.shape[3] % width
            or (height * width > 1 and not x.is_contiguous(memory_format=torch.channels_last))
        ):
            return super().forward(x)
        maps = x.permute(0, 2, 3, 1)
        patches = maps.unflatten(2, (-1, width)).unflatten(1, (-1, height)).transpose(2, 3)
        weight = self.weight.permute(0, 2, 3, 1).flatten(1)
        return linear(patches.flatten(3), weight, self.bias).permute(0, 3, 1, 2)


def _has_plain_patches(layer: nn.Conv2d) -> bool:
    plain = layer.padding == layer.output_padding == (0, 0) and layer.dilation == (1, 1)
    return plain and layer.kernel_size == layer.stride and layer.groups == 1


def quicken_linear_layers(model: nn.Module) -> None:
    """Let what is linear in patches of a model multiply by :func:`linear`.

    Linear layers and convolutions with a stride as large as their kernel; weights, names and hooks
    stay.
    """
    if prefers_onednn():
        for module in model.modules():
            if type(module) is nn.Linear:
                module.__class__ = QuickLinear
            elif type(module) is nn.Conv2d and _has_plain_patches(module):
                module.__class__ = QuickPatches
