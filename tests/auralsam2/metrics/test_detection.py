from __future__ import annotations

import pytest
import torch

from auralsam2.metrics.detection import DetectionMetric, FalseAreaMetric
from auralsam2.metrics.null_split import AreaMetric


def frames() -> tuple[torch.Tensor, torch.Tensor]:
    """Three frames of 4 x 4: half of the object found, a quarter of it, and none there."""
    masks = torch.zeros(3, 4, 4)
    masks[:2, :, :2] = 1
    logits = torch.full((3, 4, 4), -1.0)
    logits[0, :, 0] = logits[1, :2, 0] = 1.0
    logits[1, 0, 3] = logits[2, 0] = 1.0
    return logits, masks


def test_an_object_is_found_where_j_reaches_the_threshold() -> None:
    logits, masks = frames()  # J is 0.5 and 2 / 9
    assert DetectionMetric(0.499).score_clip(logits, masks) == 0.5
    assert DetectionMetric(0.2).score_clip(logits, masks) == 1.0
    assert DetectionMetric(0.6).score_clip(logits, masks) == 0.0
    assert DetectionMetric().score_clip(logits[2:], masks[2:]) is None, "nothing to find"
    with pytest.raises(ValueError, match=r"least must be a J above 0 and at most 1, got least=0"):
        DetectionMetric(0)


def test_false_area_is_what_is_predicted_outside_the_truth() -> None:
    logits, masks = frames()
    assert FalseAreaMetric().score_clip(logits, masks) == pytest.approx((0 + 1 / 16 + 4 / 16) / 3)
    assert FalseAreaMetric().score_clip(logits[2:], masks[2:]) == AreaMetric().score_clip(
        logits[2:], masks[2:]
    )
