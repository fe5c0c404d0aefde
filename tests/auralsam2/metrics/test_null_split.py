"""S: roots, ratios, their averages; A: the predicted share."""

from __future__ import annotations

import math

import pytest
import torch

from auralsam2.config import load
from auralsam2.metrics.null_split import AreaMetric, NullMetric, PixelCount, count_pixels
from auralsam2.registry import METRICS


def sample(clip, logits, supervised=True):
    supervised = torch.tensor(supervised).expand(len(logits))
    return dict(clip=clip, mask_logits=logits, masks=torch.ones_like(logits), supervised=supervised)


def test_zero_logits_are_background():
    logits = torch.tensor([[[0.0, 1e-6, -1.0, 5.0]]])
    assert count_pixels(logits) == PixelCount(predicted=2, total=4)


@pytest.mark.parametrize(
    ("reduction", "both", "first"),
    [
        ("mean_of_roots", (0.5 + 0.4) / 2, 0.5),
        ("mean_of_ratios", (0.25 + 0.16) / 2, 0.25),
        ("cumulative_ratio", 17 / 104, 0.25),
    ],
)
def test_three_reductions_of_two_clips(reduction, both, first):
    metric = METRICS.build(dict(type="NullMetric", reduction=reduction))
    clips = [PixelCount(1, 4), PixelCount(16, 100)]
    assert metric.average(clips) == pytest.approx(both)
    assert metric.clip_value(clips[0]) == pytest.approx(first)
    assert math.isnan(metric.average([])) and not metric.higher_is_better


def test_a_batch_has_one_root_and_a_short_last_one_counts_like_the_others():
    clips = [PixelCount(1, 4), PixelCount(16, 100), PixelCount(9, 100)]
    ratios = NullMetric("mean_of_ratios", group_size=2)
    assert ratios.average(clips) == pytest.approx((17 / 104 + 0.09) / 2)
    assert NullMetric(group_size=None).average(clips) == pytest.approx(math.sqrt(26 / 204))
    metric = NullMetric(group_size=2)
    assert metric.average(clips) == pytest.approx((math.sqrt(17 / 104) + 0.3) / 2)
    logits = [torch.full((1, 1, 4), -1.0), torch.full((1, 10, 10), -1.0)]
    logits[0][0, 0, :1] = logits[1][0, 0, :9] = 1.0
    metric.process(None, [sample("a", logits[0]), sample("b", logits[1])])
    assert metric.evaluate(size=2) == {"S": pytest.approx(math.sqrt(10 / 104))}
    assert metric.per_clip == pytest.approx({"a": 0.5, "b": 0.3})


def test_unknown_reduction_names_the_known():
    with pytest.raises(ValueError, match="reduction='sum'.*mean_of_roots, .*cumulative_ratio"):
        NullMetric(reduction="sum")


def test_the_data_set_as_a_whole_knows_no_batches():
    with pytest.raises(ValueError, match="'cumulative_ratio' knows no batches, got group_size=4"):
        NullMetric(reduction="cumulative_ratio", group_size=4)


def test_the_released_preset_takes_the_share_of_all_pixels():
    nodes = load("auralsam2/released/ref_avs").evaluation.metrics
    assert [n.reduction for n in nodes if n.type == "NullMetric"] == ["cumulative_ratio"]


def test_mean_share_over_supervised_frames_then_clips() -> None:
    logits = torch.full((2, 4, 4), -1.0)
    logits[0, :2] = 1.0  # half of frame 0, nothing of frame 1
    metric = AreaMetric()
    metric.process(None, [sample("a", logits), sample("b", logits, [True, False])])
    assert metric.evaluate(2) == {"A": pytest.approx((0.25 + 0.5) / 2)}
    assert metric.per_clip == {"a": pytest.approx(0.25), "b": pytest.approx(0.5)}


def test_threshold_is_a_probability() -> None:
    logits = torch.full((1, 2, 2), 0.5)  # 0.62
    assert AreaMetric().score_clip(logits, logits) == 1
    assert AreaMetric(threshold=0.7).score_clip(logits, logits) == 0
    with pytest.raises(ValueError, match="between 0 and 1"):
        AreaMetric(threshold=1)
