"""What every registered metric shares."""

from __future__ import annotations

import math

import cv2
import pytest
import torch
import torch.nn.functional as F

from auralsam2.metrics.clip_metric import ClipMetric, resize_truth, supervised_frames
from auralsam2.metrics.semantic import ClassMetric
from auralsam2.registry import METRICS

OWN = [name for name in METRICS.names() if issubclass(METRICS.lookup(name), ClipMetric)]
AGREEMENTS = [name for name in OWN if METRICS.lookup(name).higher_is_better]
OF_MASKS = [name for name in AGREEMENTS if not issubclass(METRICS.lookup(name), ClassMetric)]


def sample(clip="a", frames=2, size=4):
    masks = torch.zeros(frames, size, size, dtype=torch.uint8)
    masks[:, :2] = 1
    return dict(
        clip=clip,
        mask_logits=20.0 * masks - 10,
        masks=masks,
        class_logits=torch.stack([10 - 20.0 * masks, 20.0 * masks - 10], dim=1),
        predicted_classes=masks,
        semantic=masks,
        supervised=torch.ones(frames, dtype=torch.bool),
    )


@pytest.mark.parametrize("name", AGREEMENTS)
def test_perfect_masks_score_one_at_any_size(name):
    metric = METRICS.build(dict(type=name))
    metric.process(None, [sample("a"), sample("b", frames=1, size=7)])
    assert metric.evaluate(size=2) == {metric.key: pytest.approx(1.0)}
    assert metric.per_clip == pytest.approx({"a": 1.0, "b": 1.0})


@pytest.mark.parametrize("name", AGREEMENTS)
def test_second_evaluation_starts_afresh(name):
    metric = METRICS.build(dict(type=name))
    metric.process(None, [sample("a")])
    metric.evaluate(size=1)
    wrong = sample("b")
    wrong["mask_logits"] = -wrong["mask_logits"]
    wrong["predicted_classes"] = 1 - wrong["predicted_classes"]
    metric.process(None, [wrong])
    assert metric.evaluate(size=1)[metric.key] < 0.7
    assert list(metric.per_clip) == ["b"]


@pytest.mark.parametrize("name", OWN)
def test_mistakes_name_the_clip(name):
    metric = METRICS.build(dict(type=name))
    small = sample("small")
    small["masks"] = small["semantic"] = small["masks"][:, :2]
    with pytest.raises(ValueError, match="(masks|semantic) of clip 'small'"):
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


@pytest.mark.parametrize("name", OWN)
def test_prefix_tells_two_of_a_kind_apart(name):
    metric = METRICS.build(dict(type=name, prefix="small", size=8))
    metric.process(None, [sample("a")])
    assert list(metric.evaluate(size=1)) == [metric.name] == [f"small/{metric.key}"]


@pytest.mark.parametrize("name", OWN)
def test_size_must_be_positive(name):
    with pytest.raises(ValueError, match="size=0"):
        METRICS.build(dict(type=name, size=0))


def test_another_size_is_one_interpolation_of_the_decoders_map():
    low = torch.randn(2, 5, 5, generator=torch.Generator().manual_seed(0))
    clip = sample("a", size=16) | dict(low_res_logits=low)
    clip["supervised"] = torch.tensor([False, True])
    logits, masks = supervised_frames(clip, size=8)
    expected = F.interpolate(low[None, 1:], size=(8, 8), mode="bilinear", align_corners=False)[0]
    torch.testing.assert_close(logits, expected)
    assert torch.equal(masks, clip["masks"][1:, ::2, ::2])
    del clip["low_res_logits"]
    assert supervised_frames(clip, size=8)[0].tolist() != logits.tolist()


@pytest.mark.parametrize(("own", "size"), [(24, 9), (33, 16), (7, 32), (40, 40)])
def test_the_widened_truth_is_that_of_the_ref_avs_benchmark(own, size):
    """It resizes its 8-bit labels with OpenCV and keeps all that is above 0."""
    masks = (torch.rand(3, own, own, generator=torch.Generator().manual_seed(own)) > 0.9).byte()
    widened = resize_truth(masks, size, widen=True)
    expected = [cv2.resize(255 * m, (size, size)) > 0 for m in masks.numpy()]
    assert widened.bool().tolist() == [m.tolist() for m in expected]
    near = resize_truth(masks, size)
    assert bool((near <= widened).all()) and (own == size or near.sum() < widened.sum())


@pytest.mark.parametrize("name", OF_MASKS)
def test_a_widened_truth_is_compared(name):
    thin = sample("a", size=8)
    thin["masks"][:] = 0
    thin["masks"][:, 0, 1] = 1  # the nearest pixels at half the side, 1 and 3, ..., meet nothing
    thin["mask_logits"] = torch.nn.functional.interpolate(
        20.0 * resize_truth(thin["masks"], 4, widen=True)[None] - 10, size=(8, 8)
    )[0]
    metric = METRICS.build(dict(type=name, size=4, widen_truth=True))
    metric.process(None, [thin])
    assert metric.evaluate(size=1) == {metric.key: pytest.approx(1.0)}
    with pytest.raises(ValueError, match="widen_truth=True needs a size"):
        METRICS.build(dict(type=name, widen_truth=True))


@pytest.mark.parametrize("name", OWN)
def test_at_its_own_size_nothing_changes(name):
    clips = [sample("a", size=6), sample("b", size=6)]
    clips[0]["mask_logits"] = torch.randn(2, 6, 6, generator=torch.Generator().manual_seed(1))
    scores = []
    for size in (None, 6):
        metric = METRICS.build(dict(type=name, size=size))
        metric.process(None, clips)
        scores.append(metric.evaluate(size=2))
    assert scores[0] == pytest.approx(scores[1])
