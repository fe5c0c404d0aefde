"""Pixel-wise supervision, with numbers by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

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


def test_frames_that_are_not_supervised_do_not_count() -> None:
    best = torch.randn(2, 2, 4, 4, requires_grad=True)
    masks = torch.randint(0, 2, (2, 2, 4, 4)).float()
    some = torch.tensor([[True, False], [False, False]])
    out = loss(best, masks, some)["loss_mask"]
    torch.testing.assert_close(out, loss(best[:1, :1], masks[:1, :1], YES)["loss_mask"])
    none = loss(best, masks, ~torch.ones_like(some), dice_weight=1.0)
    sum(none.values()).backward()  # type: ignore[union-attr]
    assert not any(none.values()) and best.grad is not None and not best.grad.any()


@pytest.mark.parametrize(("side", "loss_size"), [(4, None), (8, None), (16, 4)])
def test_sides_are_brought_together(side: int, loss_size: int | None) -> None:
    masks = torch.zeros(1, 1, 16, 16)
    masks[..., :8, :] = 1
    best = torch.full((1, 1, side, side), -30.0)
    best[..., : side // 2, :] = 30
    assert float(loss(best, masks, YES, loss_size=loss_size)["loss_mask"]) < 1


def test_half_precision_is_computed_in_single() -> None:
    best = torch.zeros(1, 1, 4, 4, dtype=torch.bfloat16)
    assert loss(best, torch.ones(1, 1, 4, 4), YES)["loss_mask"].dtype == torch.float32


def test_all_wrong_arguments_are_told_at_once() -> None:
    with pytest.raises(ValueError, match="bce_weight .*; dice_weight .*; loss_size"):
        MASK_LOSSES.build(dict(type="BinaryMaskLoss", bce_weight=-1, dice_weight=-1, loss_size=0))
