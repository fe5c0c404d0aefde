"""Pixel-wise supervision, with numbers by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from auralsam2.losses.binary_mask import soft_iou_loss
from auralsam2.registry import MASK_LOSSES
from auralsam2.structures import Prediction


def predict(best: Tensor) -> Prediction:
    return Prediction(best[:, :, None], best[..., :1, 0], best[..., :1, 0], best)


def loss(best: Tensor, masks: Tensor, supervised: Tensor, **changes: Any) -> dict[str, Tensor]:
    built = MASK_LOSSES.build(dict(type="BinaryMaskLoss", **changes))
    answer: dict[str, Tensor] = built(predict(best), masks, supervised)
    return answer


YES = torch.ones(1, 1, dtype=torch.bool)


def test_cross_entropy_of_all_pixels() -> None:
    masks = torch.tensor([[[[1.0, 1], [0, 0]]]])
    best = torch.full((1, 1, 2, 2), math.log(3))  # probability 3/4
    out = loss(best, masks, YES)
    assert set(out) == {"loss_mask"}, "AVSBench's loss has no other term"
    expected = -(math.log(0.75) + math.log(0.25)) / 2
    assert float(out["loss_mask"]) == pytest.approx(expected)
    both = loss(best, masks, YES, bce_weight=2.0, dice_weight=3.0)
    assert float(both["loss_mask"]) == pytest.approx(2 * expected)
    assert float(both["loss_dice"]) == pytest.approx(3 * (1 - (2 * 1.5 + 1) / (3 + 2 + 1)))


@pytest.mark.parametrize(("side", "loss_size"), [(4, None), (8, None), (16, 4)])
def test_sides_are_brought_together(side: int, loss_size: int | None) -> None:
    masks = torch.zeros(1, 1, 16, 16)
    masks[..., :8, :] = 1
    best = torch.full((1, 1, side, side), -30.0)
    best[..., : side // 2, :] = 30
    assert float(loss(best, masks, YES, loss_size=loss_size)["loss_mask"]) < 1


def test_all_wrong_arguments_are_told_at_once() -> None:
    negative = dict(bce_weight=-1, dice_weight=-1, iou_weight=-1)
    with pytest.raises(ValueError, match="bce_weight .*; dice_weight .*; iou_weight .*; loss_size"):
        MASK_LOSSES.build(dict(type="BinaryMaskLoss", **negative, loss_size=0))
    with pytest.raises(ValueError, match="'native' or None, got loss_size='own'"):
        MASK_LOSSES.build(dict(type="BinaryMaskLoss", loss_size="own"))


def test_soft_iou_by_hand_and_without_gradient_where_nothing_is_there() -> None:
    masks = torch.zeros(1, 2, 2, 2)
    masks[0, 0, 0] = 1
    best = torch.full((1, 2, 2, 2), math.log(3), requires_grad=True)  # probability 3/4
    out = loss(best, masks, YES.expand(1, 2), iou_weight=4.0)["loss_iou"]
    whole = 1 - 1.5 / (3 + 2 - 1.5)
    assert out.item() == pytest.approx(4 * (whole + 1) / 2)
    out.backward()
    assert best.grad is not None and best.grad[0, 0].all() and not best.grad[0, 1].any()


def test_a_mask_without_any_probability_is_no_division_by_zero() -> None:
    best = torch.full((1, 1, 2, 2), -1e4)
    assert float(loss(best, torch.zeros(1, 1, 2, 2), YES, iou_weight=1.0)["loss_iou"]) == 1


def test_each_clip_at_its_own_size() -> None:
    best = torch.randn(2, 2, 4, 4)
    wide, small = torch.randint(0, 2, (2, 6, 12)), torch.randint(0, 2, (2, 4, 4))
    known = torch.tensor([[True, True], [False, True]])
    native = dict(loss_size="native", iou_weight=1.0)
    out = loss(best, [wide, small], known, **native)  # type: ignore[arg-type]
    large = F.interpolate(best[:1], size=(6, 12), mode="bilinear")[0]
    frames = [(large[0], wide[0]), (large[1], wide[1]), (best[1, 1], small[1])]
    bce = [F.binary_cross_entropy_with_logits(logits, y.float()) for logits, y in frames]
    assert float(out["loss_mask"]) == pytest.approx(float(sum(bce)) / 3, rel=1e-5)
    assert float(out["loss_iou"]) == pytest.approx(
        sum(float(soft_iou_loss(logits, y)) for logits, y in frames) / 3, rel=1e-5
    )
    whole = torch.randint(0, 2, (2, 2, 4, 4)).float()
    torch.testing.assert_close(
        loss(best, whole, known, **native), loss(best, list(whole), known, **native)
    )  # type: ignore[arg-type]
