"""What every registered metric shares."""

from __future__ import annotations

import math

import pytest
import torch

from auralsam2.metrics.clip_metric import ClipMetric
from auralsam2.registry import METRICS

OWN = [name for name in METRICS.names() if issubclass(METRICS.lookup(name), ClipMetric)]


def sample(clip="a", frames=2, size=4):
    masks = torch.zeros(frames, size, size, dtype=torch.uint8)
    masks[:, :2] = 1
    return dict(
        clip=clip,
        mask_logits=20.0 * masks - 10,
        masks=masks,
        supervised=torch.ones(frames, dtype=torch.bool),
    )


@pytest.mark.parametrize("name", OWN)
def test_perfect_masks_score_one_at_any_size(name):
    metric = METRICS.build(dict(type=name))
    metric.process(None, [sample("a"), sample("b", frames=1, size=7)])
    assert metric.evaluate(size=2) == {metric.key: pytest.approx(1.0)}
    assert metric.per_clip == pytest.approx({"a": 1.0, "b": 1.0})


@pytest.mark.parametrize("name", OWN)
def test_second_evaluation_starts_afresh(name):
    metric = METRICS.build(dict(type=name))
    metric.process(None, [sample("a")])
    metric.evaluate(size=1)
    wrong = sample("b")
    wrong["mask_logits"] = -wrong["mask_logits"]
    metric.process(None, [wrong])
    assert metric.evaluate(size=1)[metric.key] < 0.7
    assert list(metric.per_clip) == ["b"]


@pytest.mark.parametrize("name", OWN)
def test_mistakes_name_the_clip(name):
    metric = METRICS.build(dict(type=name))
    small = sample("small")
    small["masks"] = small["masks"][:, :2]
    with pytest.raises(ValueError, match="masks of clip 'small'"):
        metric.process(None, [small])
    blind = sample("blind")
    blind["supervised"] = ~blind["supervised"]
    with pytest.raises(ValueError, match="'blind' has no frame"):
        metric.process(None, [blind])
    metric.process(None, [sample("twin"), sample("twin")])
    with pytest.raises(ValueError, match="twin"):
        metric.evaluate(size=2)


def test_no_clip_that_counts_is_not_a_number():
    metric = METRICS.build(dict(type="FScoreMetric", empty_clips="skip"))
    assert math.isnan(metric.compute_metrics([("a", None)])["F"])
