"""Jaccard index: definition, empty frames."""

from __future__ import annotations

import pytest
import torch

from auralsam2.metrics.jaccard import JaccardMetric, jaccard
from auralsam2.registry import METRICS
from tests.auralsam2.metrics.test_f_score import sample


def test_intersection_over_union_of_each_frame():
    logits = torch.tensor([[[1.0, 2.0], [-1.0, 0.0]], [[-1.0, -1.0], [-1.0, 3.0]]])
    masks = torch.tensor([[[1, 0], [1, 0]], [[0, 0], [0, 1]]], dtype=torch.uint8)
    assert jaccard(logits, masks).tolist() == pytest.approx([1 / 3, 1.0])


def test_empty_truth_scores_the_share_of_background():
    logits = torch.full((1, 2, 4), -1.0)
    logits[0, 0, 0] = 1
    assert jaccard(logits, torch.zeros(1, 2, 4)).tolist() == [7 / 8]


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int64, torch.float32])
def test_the_object_is_where_masks_are_above_zero(dtype):
    truth = torch.tensor([[[0, 1], [1, 1]]]).to(dtype)
    if dtype.is_signed:
        truth[0, 0, 0] = -1
    assert jaccard(torch.tensor([[[9.0, 9.0], [-9.0, 9.0]]]), truth) == 2 / (4 + 1e-7)


def test_wrong_everywhere_is_zero():
    masks = torch.tensor([[[1, 1], [0, 0]]])
    assert jaccard(1.0 - 2 * masks, masks).tolist() == [0.0]


def test_clip_mean_then_data_set_mean_over_supervised_frames():
    masks = torch.ones(2, 1, 2, dtype=torch.uint8)
    logits = torch.tensor([[[1.0, 1.0]], [[1.0, -1.0]]])  # J of 1 and 1/2
    metric = METRICS.build(dict(type="JaccardMetric"))
    first = dict(clip="a", mask_logits=logits, masks=masks, supervised=torch.tensor([True, True]))
    second = dict(first, clip="b", supervised=torch.tensor([False, True]))
    metric.process(None, [first])
    metric.process(None, [second])
    assert metric.evaluate(size=2) == {"J": pytest.approx((0.75 + 0.5) / 2)}
    assert metric.per_clip == pytest.approx({"a": 0.75, "b": 0.5})


def test_lower_threshold_predicts_more():
    logits = torch.tensor([0.45, 0.5, 0.39, 0.3]).logit().view(1, 1, 4)
    masks = torch.tensor([[[1, 1, 0, 0]]])
    assert jaccard(logits, masks, threshold=0.4).tolist() == pytest.approx([1.0])
    assert jaccard(logits, masks).tolist() == [0.0]
    metric = JaccardMetric(threshold=0.4)
    metric.process(None, [sample("a", logits, masks)])
    assert metric.evaluate(size=1) == {"J": pytest.approx(1.0)}


def test_every_clip_or_every_frame_counts_once():
    masks = torch.ones(3, 1, 2, dtype=torch.uint8)
    wrong = -torch.ones(3, 1, 2)
    scores = []
    for how in (dict(average="clip"), dict(average="frame"), dict(group_size=None)):
        metric = METRICS.build(dict(type="JaccardMetric", **how))
        metric.process(None, [sample("a", -wrong[:1], masks[:1]), sample("b", wrong, masks)])
        scores.append(metric.evaluate(size=2)["J"])
        assert metric.per_clip == pytest.approx({"a": 1.0, "b": 0.0})
    assert scores == pytest.approx([1 / 2, 1 / 4, 1 / 4])


def test_a_short_last_batch_counts_like_the_others():
    clips = [torch.tensor([1.0]), torch.tensor([0.0, 0.5, 0.1]), torch.tensor([0.9, 0.3])]
    for size, expected in ((1, (1 + 0.2 + 0.6) / 3), (2, (0.4 + 0.6) / 2), (3, 2.8 / 6)):
        assert JaccardMetric(group_size=size).average(clips) == pytest.approx(expected)


def test_errors_name_all_arguments():
    with pytest.raises(ValueError, match="threshold=1.0(.|\n)*average='pixel'.*clip, frame"):
        JaccardMetric(threshold=1.0, average="pixel")
    with pytest.raises(ValueError, match="average='frame' knows no batches, got group_size=4"):
        JaccardMetric(average="frame", group_size=4)
