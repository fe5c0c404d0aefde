"""Cross-entropy of classes, with numbers by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from auralsam2.registry import MASK_LOSSES
from auralsam2.structures import Prediction

YES = torch.ones(1, 1, dtype=torch.bool)


def loss(logits: Tensor | None, semantic: Tensor, supervised: Tensor, **changes: Any) -> Tensor:
    one = torch.zeros(1, 1, 1)
    built = MASK_LOSSES.build(dict(type="SemanticMaskLoss", **changes))
    answer = built(Prediction(one, one, one, one, logits), semantic, supervised)
    assert set(answer) == {"loss_mask"}
    return answer["loss_mask"]


def test_cross_entropy_of_labelled_pixels() -> None:
    semantic = torch.tensor([[[[0, 2], [255, 1]]]], dtype=torch.uint8)
    logits = torch.tensor([1.0, 1.0, 2.0]).log()[None, None, :, None, None].expand(1, 1, 3, 2, 2)
    expected = -(math.log(0.25) + math.log(0.5) + math.log(0.25)) / 3
    assert float(loss(logits, semantic, YES)) == pytest.approx(expected)
    assert float(loss(logits, semantic, YES, weight=2.0)) == pytest.approx(2 * expected)


@pytest.mark.parametrize(("side", "loss_size"), [(4, None), (8, None), (16, 4)])
def test_sides_are_brought_together(side: int, loss_size: int | None) -> None:
    semantic = torch.zeros(1, 1, 16, 16, dtype=torch.uint8)
    semantic[..., :8, :] = 2
    logits = torch.zeros(1, 1, 3, side, side)
    logits[:, :, 2, : side // 2] = logits[:, :, 0, side // 2 :] = 30
    assert float(loss(logits, semantic, YES, loss_size=loss_size)) < 0.5


def test_what_does_not_fit_is_told() -> None:
    semantic = torch.full((1, 1, 2, 2), 3, dtype=torch.uint8)
    with pytest.raises(ValueError, match=r"classes up to 3, .* tells 3 apart.* 4 or more"):
        loss(torch.zeros(1, 1, 3, 2, 2), semantic, YES)
    with pytest.raises(ValueError, match="needs class logits"):
        loss(None, semantic, YES)
    with pytest.raises(ValueError, match=r"weight.*-1.*; loss_size"):
        loss(None, semantic, YES, weight=-1, loss_size=0)
