"""Softmax attention a head at a time: against the formula, with and without dropout."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from auralsam2.models import linear
from auralsam2.models.dropout import draw_kept
from auralsam2.models.softmax_attention import SMALLEST, softmax_attention

B, H, L, S, c = 2, 3, 512, 64, 16


@pytest.fixture
def inputs(monkeypatch: pytest.MonkeyPatch) -> tuple[Tensor, Tensor, Tensor]:
    assert L * S >= SMALLEST
    monkeypatch.setattr(linear, "prefers_onednn", lambda: True)
    # As projections give them: heads behind the tokens.
    query, key, value = (torch.randn(B, n, H, c).transpose(1, 2) for n in (L, S, S))
    return query.requires_grad_(), key.requires_grad_(), value.requires_grad_()


@pytest.mark.parametrize("rate", [0.0, 0.3])
def test_values_and_gradients_follow_the_formula(
    inputs: tuple[Tensor, Tensor, Tensor], rate: float
) -> None:
    query, key, value = inputs
    torch.manual_seed(5)
    ours = softmax_attention(query, key, value, rate)
    assert "Unflatten" in type(ours.grad_fn).__name__ or "View" in type(ours.grad_fn).__name__
    weights = (query @ key.transpose(-1, -2) / math.sqrt(c)).softmax(-1)
    if rate:
        torch.manual_seed(5)
        kept, factor = draw_kept((B * H, L, S), rate)
        weights = weights * kept.view_as(weights) * factor
    expected = weights @ value
    torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-5)
    towards = torch.randn_like(expected)
    of_ours = torch.autograd.grad((ours * towards).sum(), inputs)
    for got, wanted in zip(
        of_ours, torch.autograd.grad((expected * towards).sum(), inputs), strict=True
    ):
        torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-5)


def test_dropout_keeps_a_byte_a_weight(inputs: tuple[Tensor, Tensor, Tensor]) -> None:
    kept: dict[int, int] = {}

    def pack(x: Tensor) -> Tensor:
        kept[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes()
        return x

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        softmax_attention(*inputs, 0.1)
    # Heads are made contiguous: these copies, and the mask.
    assert sum(kept.values()) == B * H * (4 * c * (L + 2 * S) + L * S)


def test_few_weights_are_left_to_pytorch() -> None:
    query, key = torch.randn(1, 2, 8, 4), torch.randn(1, 2, 5, 4)
    expected = F.scaled_dot_product_attention(query, key, key)
    assert torch.equal(softmax_attention(query, key, key), expected)
