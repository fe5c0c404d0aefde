"""Log-sum-exp over points of other labels."""

from __future__ import annotations

import pytest
import torch

from auralsam2.losses.negatives import log_negative_sums


def naive(points, labels, temperature, others=None, other_labels=None):
    everything, known = points, labels
    if others is not None:
        everything, known = torch.cat((points, others)), torch.cat((labels, other_labels))
    similarity = points @ everything.T / temperature
    same = labels[:, None] == known[None]
    return similarity.masked_fill(same, -torch.inf).logsumexp(dim=1)


@pytest.mark.parametrize("scale", [1.0, 40.0])  # both sides of the safe range
@pytest.mark.parametrize("with_others", [False, True])
def test_equals_naive_sum(scale, with_others):
    generator = torch.Generator().manual_seed(0)
    points = scale * torch.randn(9, 4, generator=generator, dtype=torch.float64)
    labels = torch.tensor([0, 2, 1, 1, 0, 2, 2, 0, 1])
    others = torch.randn(3, 4, generator=generator, dtype=torch.float64) if with_others else None
    other_labels = torch.tensor([1, 1, 5]) if with_others else None
    arguments = (points, labels, 0.5, others, other_labels)
    torch.testing.assert_close(log_negative_sums(*arguments), naive(*arguments))


def test_one_class_has_no_negative():
    sums = log_negative_sums(torch.randn(3, 2), torch.ones(3), 0.1)
    assert sums.tolist() == [-torch.inf] * 3


@pytest.mark.parametrize("scale", [1.0, 40.0])
def test_gradient(scale):
    labels = torch.tensor([0, 1, 1, 0])
    points = (scale * torch.randn(4, 2, dtype=torch.float64)).requires_grad_()
    temperature = scale**2  # keeps the sums smooth enough for finite differences
    assert torch.autograd.gradcheck(lambda x: log_negative_sums(x, labels, temperature), (points,))


def test_large_similarities_stay_finite():
    points = torch.tensor([[1000.0, 0.0], [-1000.0, 0.0], [999.0, 0.0]], requires_grad=True)
    sums = log_negative_sums(points, torch.tensor([0, 1, 1]), 0.1)
    sums.sum().backward()
    assert sums.isfinite().all() and points.grad.isfinite().all()
