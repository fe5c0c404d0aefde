"""F-score: exact counts, empty frames and clips."""

from __future__ import annotations

import math

import pytest
import torch

from auralsam2.metrics import f_score
from auralsam2.metrics.f_score import (
    FScoreMetric,
    f_score_curves,
    sum_of_curves,
    threshold_counts,
)
from auralsam2.registry import METRICS


def naive_counts(probabilities, masks, thresholds):
    predicted = [(probabilities >= t).flatten(1).sum(1) for t in thresholds]
    correct = [((probabilities >= t) & (masks > 0)).flatten(1).sum(1) for t in thresholds]
    return torch.stack(predicted, dim=1), torch.stack(correct, dim=1)


def make_clip(frames=3, size=16, seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = 4 * torch.randn(frames, size, size, generator=generator)
    return logits, (torch.rand(frames, size, size, generator=generator) > 0.6).to(torch.uint8)


def edge_probabilities(thresholds):
    """Each threshold, its neighbours in floating point, the ends and not-a-number."""
    above = torch.nextafter(thresholds, torch.full_like(thresholds, 2.0)).clamp(max=1)
    below = torch.nextafter(thresholds, torch.full_like(thresholds, -1.0)).clamp(min=0)
    special = torch.tensor([0.0, -0.0, 1.0, math.nan], dtype=thresholds.dtype)
    return torch.cat((thresholds, above, below, special)).view(1, 1, -1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("num_thresholds", [2, 10, 255, 1000])
def test_counts_at_the_thresholds_are_exact(dtype, num_thresholds):
    thresholds = torch.linspace(0, 1, num_thresholds, dtype=dtype)
    probabilities = edge_probabilities(thresholds)
    masks = (torch.arange(probabilities.numel()) % 2).view_as(probabilities)
    counts = threshold_counts(probabilities, masks, num_thresholds)
    expected = naive_counts(probabilities, masks, thresholds)
    assert torch.equal(counts[0], expected[0]) and torch.equal(counts[1], expected[1])


@pytest.mark.parametrize("seed", range(5))
def test_counts_equal_a_loop_over_thresholds(seed):
    logits, masks = make_clip(seed=seed)
    masks[0] = 0
    counts = threshold_counts(logits.sigmoid(), masks)
    expected = naive_counts(logits.sigmoid(), masks, torch.linspace(0, 1, 255))
    assert torch.equal(counts[0], expected[0]) and torch.equal(counts[1], expected[1])


def test_frames_are_counted_block_by_block(monkeypatch):
    logits, masks = make_clip()
    expected, whole = threshold_counts(logits.sigmoid(), masks), sum_of_curves(logits, masks)
    num_pixels = logits[0].numel()
    for block in (7, num_pixels - 1, num_pixels):  # the last one is shorter, or is not
        monkeypatch.setattr(f_score, "BLOCK", block)
        counts = threshold_counts(logits.sigmoid(), masks)
        assert torch.equal(counts[0], expected[0]) and torch.equal(counts[1], expected[1])
        assert torch.equal(sum_of_curves(logits, masks).total, whole.total)


def test_counts_do_not_depend_on_memory_layout():
    logits, masks = make_clip()
    turned = threshold_counts(logits.sigmoid().mT, masks.mT, 9)
    expected = threshold_counts(logits.sigmoid(), masks, 9)
    assert torch.equal(turned[0], expected[0]) and torch.equal(turned[1], expected[1])


def test_formula_at_one_threshold():
    probabilities = torch.tensor([[[0.9, 0.6, 0.2, 0.1]]])
    masks = torch.tensor([[[1, 0, 1, 0]]])
    curve = f_score_curves(probabilities, masks, num_thresholds=3)[0]
    half = 1.3 * 0.5 * 0.5 / (0.3 * 0.5 + 0.5)
    everything = 1.3 * 0.5 * 1.0 / (0.3 * 0.5 + 1.0)
    assert curve.tolist() == pytest.approx([everything, half, 0.0])


def test_frames_without_object_are_skipped():
    logits, masks = make_clip()
    masks[1] = 0
    expected = sum_of_curves(logits[[0, 2]], masks[[0, 2]]).mean
    torch.testing.assert_close(sum_of_curves(logits, masks).mean, expected)
    assert sum_of_curves(logits[1:2], masks[1:2]).mean.tolist() == [0.0] * 255


def test_maximum_is_taken_of_the_mean_curve():
    """Two frames that are perfect at different thresholds do not both count as perfect."""
    masks = torch.tensor([[[1, 0]], [[1, 0]]])
    logits = torch.tensor([[[5.0, 3.0]], [[-3.0, -5.0]]])
    curves = f_score_curves(logits.sigmoid(), masks)
    assert curves.amax(dim=1).tolist() == pytest.approx([1.0, 1.0])
    assert float(sum_of_curves(logits, masks).mean.max()) < 0.9


def sample(clip, logits, masks):
    supervised = torch.ones(len(masks), dtype=torch.bool)
    return dict(clip=clip, mask_logits=logits, masks=masks, supervised=supervised)


def test_clips_without_object_count_as_zero_or_not_at_all():
    logits, masks = make_clip()
    clips = [sample("seen", logits, masks), sample("silent", logits, masks * 0)]
    scores = {}
    for mode in ("zero", "skip"):
        metric = METRICS.build(dict(type="FScoreMetric", empty_clips=mode))
        metric.process(None, clips)
        scores[mode] = metric.evaluate(size=2)["F"]
        assert ("silent" in metric.per_clip) is (mode == "zero")
    assert scores["zero"] == pytest.approx(scores["skip"] / 2)


def clips_of_different_length():
    clips = [make_clip(frames=frames, seed=frames) for frames in (1, 4, 2, 3, 5)]
    clips[2][1].zero_()  # a clip without object
    clips[3][1][0] = 0  # a frame without object
    return clips


@pytest.mark.parametrize("group_size", [1, 2, 3, 5, 9, None])
def test_group_is_scored_as_one_long_clip(group_size):
    clips = clips_of_different_length()
    step = group_size or len(clips)
    expected = []
    for start in range(0, len(clips), step):
        logits, masks = zip(*clips[start : start + step], strict=True)
        expected.append(float(sum_of_curves(torch.cat(logits), torch.cat(masks)).mean.max()))
    metric = METRICS.build(dict(type="FScoreMetric", group_size=group_size))
    metric.process(None, [sample(str(i), *clip) for i, clip in enumerate(clips)])
    assert metric.evaluate(size=5)["F"] == pytest.approx(sum(expected) / len(expected))
    assert len(metric.per_clip) == 5


def test_larger_groups_cannot_share_a_threshold_for_free():
    curves = [[sum_of_curves(*make_clip(frames=2, seed=seed))] for seed in range(6)]
    whole, pairs, alone = (FScoreMetric(group_size=n).average(curves) for n in (None, 2, 1))
    assert whole < pairs < alone


def test_clip_without_object_holds_its_place_in_a_group():
    curves = [[sum_of_curves(*clip)] for clip in clips_of_different_length()]
    zero, skip = FScoreMetric(group_size=2), FScoreMetric("skip", group_size=2)
    assert skip.average(curves) == pytest.approx(zero.average(curves))
    silent = curves[2]
    assert zero.average([silent, silent]) == 0.0
    assert math.isnan(skip.average([silent, silent])) and math.isnan(zero.average([]))


def test_threshold_list_of_the_release_is_ours_in_float32():
    assert torch.equal(torch.linspace(0, 1 - 1e-10, 255), torch.linspace(0, 1, 255))


def test_half_precision_logits():
    logits, masks = make_clip()
    torch.testing.assert_close(
        sum_of_curves(logits.half(), masks).mean, sum_of_curves(logits.half().float(), masks).mean
    )


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match="empty_clips='drop'.*skip(.|\n)*group_size=0"):
        FScoreMetric(empty_clips="drop", group_size=0)
    message = "predictions='hard'.*masks(.|\n)*average='frame' knows no batches, got group_size=4"
    with pytest.raises(ValueError, match=message):
        FScoreMetric(predictions="hard", average="frame", group_size=4)


def test_logits_meet_the_thresholds_as_they_are():
    """Below 0 nothing is ever predicted, above 1 everything is at all thresholds."""
    masks = torch.tensor([[[1, 1, 0, 0]]])
    logits = torch.tensor([[[3.0, 0.5, 0.7, -2.0]]])
    (curve,) = f_score_curves(logits, masks, num_thresholds=3)
    both, one = 1.3 * (2 / 3) / (0.3 * 2 / 3 + 1), 1.3 * 0.5 / (0.3 + 0.5)
    assert curve.tolist() == pytest.approx([both, both, one])


def test_frames_alone_have_their_own_maxima():
    masks = torch.tensor([[[1, 0]], [[1, 0]], [[0, 0]]])
    logits = torch.tensor([[[1.0, -1.0]], [[-1.0, -1.0]], [[1.0, 1.0]]])
    everything = 1.3 * 0.5 / (0.3 * 0.5 + 1)
    for empty, wanted in (("zero", (1 + everything) / 3), ("skip", (1 + everything) / 2)):
        metric = FScoreMetric(predictions="masks", average="frame", empty_clips=empty)
        metric.process(None, [sample("a", logits, masks), sample("b", logits[:1], masks[:1])])
        frames = 3 if empty == "zero" else 2
        assert metric.evaluate(size=2)["F"] == pytest.approx((wanted * frames + 1) / (frames + 1))
        assert metric.per_clip == pytest.approx({"a": wanted, "b": 1.0})
