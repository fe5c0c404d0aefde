"""Dice with squared denominators, with numbers by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from auralsam2.losses.squared_dice import squared_dice_loss
from auralsam2.registry import MASK_LOSSES
from auralsam2.structures import Prediction


def loss(best: Tensor, masks: Tensor, supervised: Tensor, **changes: Any) -> Tensor:
    prediction = Prediction(best[:, :, None], best[..., :1, 0], best[..., :1, 0], best)
    built = MASK_LOSSES.build(dict(type="SquaredDiceLoss", **changes))
    (value,) = built(prediction, masks, supervised).values()
    return value


def test_squares_in_the_denominator() -> None:
    truth = torch.tensor([[1.0, 1], [0, 0]])
    logits = torch.full((2, 2), math.log(3))  # probability 3/4
    expected = 1 - 2 * 1.5 / (4 * 0.5625 + 2 + 0.002)
    for ignore_empty in (False, True):
        found = squared_dice_loss(logits, truth, ignore_empty)
        assert float(found) == pytest.approx(expected)


def test_an_empty_truth_teaches_silence_unless_as_released() -> None:
    truth = torch.zeros(2, 4, 4)
    truth[1, 0] = 1
    logits = torch.zeros(2, 4, 4, requires_grad=True)
    released = squared_dice_loss(logits, truth, ignore_empty=True)
    assert released[0] == 1
    (gradient,) = torch.autograd.grad(released.sum(), logits)
    assert not gradient[0].any() and gradient[1].all()
    corrected = squared_dice_loss(logits, truth)
    assert corrected[1] == released[1]
    # Backgrounds of 16 pixels: 1 - 2 * 8 / (4 + 16).
    assert corrected[0].item() == pytest.approx(0.2, abs=1e-3)
    (gradient,) = torch.autograd.grad(corrected.sum(), logits)
    assert (gradient[0] > 0).all(), "every pixel is pushed down"
    assert float(squared_dice_loss(torch.full((1, 4, 4), -30.0), truth[:1])) < 1e-3


def test_the_mean_of_supervised_frames_at_the_side_of_the_truth() -> None:
    best, masks = torch.randn(2, 2, 4, 4), torch.zeros(2, 2, 8, 8)
    masks[..., 2:5, 1:7] = 1
    some = torch.tensor([[True, False], [True, True]])
    enlarged = torch.nn.functional.interpolate(best, size=(8, 8), mode="bilinear")
    expected = squared_dice_loss(enlarged[some], masks[some]).mean()
    torch.testing.assert_close(loss(best, masks, some), expected)
    torch.testing.assert_close(loss(best, masks, some, weight=0.1), 0.1 * expected)


def test_a_negative_weight() -> None:
    with pytest.raises(ValueError, match="weight must be at least 0, got -1"):
        MASK_LOSSES.build(dict(type="SquaredDiceLoss", weight=-1))
