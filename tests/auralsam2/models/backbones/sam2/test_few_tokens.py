"""Attention with projections on the few tokens' side equals the official one."""

from __future__ import annotations

import pytest
import torch
from sam2.modeling.sam.transformer import Attention
from torch import Tensor

from auralsam2.models.backbones.sam2.few_tokens import head_masks, read_image, write_image


@pytest.fixture(params=[(1, 1), (4, 2)], ids=str)
def attention(request: pytest.FixtureRequest) -> Attention:
    heads, downsample = request.param
    torch.manual_seed(0)
    return Attention(16, heads, downsample_rate=downsample).double().requires_grad_(False)


def drawn(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64).requires_grad_()


def gradients(out: Tensor, *inputs: Tensor) -> tuple[Tensor, ...]:
    weights = torch.linspace(-1, 1, out.numel(), dtype=out.dtype).view_as(out)
    return torch.autograd.grad((out * weights).sum(), inputs)


def test_reading(attention: Attention) -> None:
    tokens, keys, values = drawn(3, 5, 16), drawn(3, 9, 16), drawn(3, 9, 16)
    ours = read_image(attention, head_masks(attention, tokens), tokens, keys, values)
    theirs = attention(tokens, keys, values)
    torch.testing.assert_close(ours, theirs)
    for own, other in zip(
        gradients(ours, tokens, keys, values), gradients(theirs, tokens, keys, values), strict=True
    ):
        torch.testing.assert_close(own, other)


def test_writing(attention: Attention) -> None:
    image, queries, keys, values = (drawn(3, n, 16) for n in (9, 9, 5, 5))
    masks = head_masks(attention, keys)
    ours = write_image(attention, masks, image, queries, keys, values)
    theirs = image + attention(queries, keys, values)
    torch.testing.assert_close(ours, theirs)
    inputs = (image, queries, keys, values)
    for own, other in zip(gradients(ours, *inputs), gradients(theirs, *inputs), strict=True):
        torch.testing.assert_close(own, other)
