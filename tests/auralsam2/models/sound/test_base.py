"""The classifier's loss, with numbers by hand."""

import math

import pytest
import torch

from auralsam2.models.sound.base import sound_loss

YES = torch.ones(1, 2, dtype=torch.bool)


def test_value_by_hand() -> None:
    # Two seconds; class 0 is named, class 1 is not. All probabilities are one half.
    loss = sound_loss(torch.zeros(1, 2, 2), torch.tensor([[1.0, 0.0]]), torch.zeros(1, 2, 2), YES)
    named = math.log(2) - math.log(1 - 0.5**2)  # told to be silent in both, but not in the clip
    assert float(loss) == pytest.approx((named + math.log(2)) / 2)


def test_seconds_without_supervision_count_for_the_clip_only() -> None:
    seen = torch.ones(1, 2, 1)
    sources = torch.ones(1, 1)
    loss = sound_loss(torch.zeros(1, 2, 1), sources, seen, ~YES)
    assert float(loss) == pytest.approx(-math.log(0.75))


def test_where_it_pulls() -> None:
    logits = torch.zeros(1, 2, 3, requires_grad=True)
    seen = torch.tensor([[[1.0, 0, 1], [0, 0, 1]]])
    sound_loss(logits, torch.tensor([[1.0, 1, 0]]), seen, YES).backward()
    assert logits.grad is not None
    up = -logits.grad[0]
    assert up[0, 0] > 0 > up[1, 0], "where the detector saw it"
    assert (up[:, 2] < 0).all(), "not named: silent, whatever was seen"
    assert seen.grad is None


@pytest.mark.parametrize("value", [-200.0, 200.0])
def test_far_out_it_stays_a_number(value: float) -> None:
    logits = torch.full((2, 3, 2), value, requires_grad=True)
    sources = torch.tensor([[1.0, 0], [1, 1]])
    supervised = torch.ones(2, 3, dtype=torch.bool)
    loss = sound_loss(logits, sources, torch.zeros(2, 3, 2), supervised)
    loss.backward()
    assert loss.isfinite() and logits.grad is not None and logits.grad.isfinite().all()
