from __future__ import annotations

import pytest
import torch

from auralsam2.metrics.area import AreaMetric


def sample(clip: str, mask_logits: torch.Tensor, supervised: list[bool]) -> dict:
    return {
        "clip": clip,
        "mask_logits": mask_logits,
        "masks": torch.ones(mask_logits.shape, dtype=torch.uint8),
        "supervised": torch.tensor(supervised),
    }


def test_mean_share_over_supervised_frames_then_clips() -> None:
    logits = torch.full((2, 4, 4), -1.0)
    logits[0, :2] = 1.0  # half of frame 0, nothing of frame 1
    metric = AreaMetric()
    metric.process(None, [sample("a", logits, [True, True]), sample("b", logits, [True, False])])
    assert metric.evaluate(2) == {"A": pytest.approx((0.25 + 0.5) / 2)}
    assert metric.per_clip == {"a": pytest.approx(0.25), "b": pytest.approx(0.5)}


def test_threshold_is_a_probability() -> None:
    logits = torch.full((1, 2, 2), 0.5)  # 0.62
    assert AreaMetric().score_clip(logits, logits) == 1
    assert AreaMetric(threshold=0.7).score_clip(logits, logits) == 0
    with pytest.raises(ValueError, match="between 0 and 1"):
        AreaMetric(threshold=1)


def test_less_is_better() -> None:
    assert AreaMetric.key == "A" and not AreaMetric.higher_is_better
