"""Dropout: its rate, its gradient, its seed, and where PyTorch's is taken."""

import pytest
import torch
from torch import Tensor

from auralsam2.models.dropout import PIECE, draw_kept, dropout


def test_rate_and_independence_of_neighbours() -> None:
    torch.manual_seed(0)
    kept, factor = draw_kept((4 * PIECE + 3,), 0.1)
    assert factor == pytest.approx(1 / 0.9, rel=1e-5)
    deviation = (0.1 * 0.9 / kept.numel()) ** 0.5
    dropped = ~kept
    # All four draws of a word have the rate, the one with the sign too.
    for lane in range(4):
        assert dropped[lane::4].float().mean() == pytest.approx(0.1, abs=8 * deviation)
    for step in (1, 2, 4, PIECE):
        both = (dropped[step:] & dropped[:-step]).float().mean()
        assert both == pytest.approx(0.01, abs=4 * 0.1 * deviation + 5e-4)


def test_seed_repeats_the_draws_and_moves_the_generator() -> None:
    x = torch.randn(2, 5, 7)
    torch.manual_seed(3)
    first, second = dropout(x, 0.5, True), dropout(x, 0.5, True)
    torch.manual_seed(3)
    assert torch.equal(dropout(x, 0.5, True), first) and not torch.equal(first, second)


def test_value_and_gradient_are_masked_alike() -> None:
    # Not contiguous, and more than a piece.
    x = torch.randn(3, 300, 100).transpose(1, 2).requires_grad_()
    value = dropout(x, 0.25, True)
    kept = value != 0
    torch.testing.assert_close(value, torch.where(kept, x / 0.75, 0))
    weights = torch.randn_like(value)
    (ours,) = torch.autograd.grad((value * weights).sum(), x)
    (expected,) = torch.autograd.grad((x * weights * kept / 0.75).sum(), x)
    torch.testing.assert_close(ours, expected)


@pytest.mark.parametrize(("rate", "training"), [(0.1, False), (0.0, True)])
def test_off_is_exact(rate: float, training: bool) -> None:
    x = torch.randn(4, 6)
    assert torch.equal(dropout(x, rate, training), x)


def test_everything_may_be_dropped_and_types_stay() -> None:
    assert not dropout(torch.randn(8), 1.0, True).any()
    assert dropout(torch.randn(8, dtype=torch.bfloat16), 0.5, True).dtype == torch.bfloat16


def test_a_byte_an_element_is_kept_for_the_way_back() -> None:
    sizes = []

    def pack(x: Tensor) -> Tensor:
        sizes.append(x.nbytes)
        return x

    x = torch.randn(1000, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        dropout(x, 0.1, True)
    assert sizes == [1000]
