"""Mean IoU and F of classes, with numbers by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from auralsam2.metrics.semantic import ClassSums, count_classes
from auralsam2.registry import METRICS

K = 4
METRIC_NAMES = ("MeanIoUMetric", "ClassFScoreMetric")


def clip(name: str, predicted: Any, truth: Any, **changes: Any) -> dict[str, Any]:
    """Rows of frames of one line each."""
    classes = torch.tensor(predicted)[:, None]
    logits = 9.0 * torch.nn.functional.one_hot(classes.long(), K).permute(0, 3, 1, 2)
    return {
        "clip": name,
        "class_logits": logits,
        "predicted_classes": classes.byte(),
        "semantic": torch.tensor(truth, dtype=torch.uint8)[:, None],
        "supervised": torch.ones(len(classes), dtype=torch.bool),
        **changes,
    }


# Class 3 never occurs. In frame 0, classes 0 and 1 are half right; frame 1 is all right.
CLIPS = [
    clip("a", [[0, 0, 1, 1], [2, 2, 2, 2]], [[0, 1, 1, 0], [2, 2, 2, 2]]),
    clip("b", [[0, 0, 0, 0]], [[0, 0, 2, 2]]),
]


def score(name: str, clips: list[dict[str, Any]] = CLIPS, **settings: Any) -> tuple[float, Any]:
    metric = METRICS.build(dict(type=name, **settings))
    for one in clips:
        metric.process(None, [one])
    scores = metric.evaluate(size=len(clips))
    assert list(scores) == [metric.name]
    return scores[metric.name], metric.per_clip


def test_mean_iou_by_hand() -> None:
    # Sums over frames: class 0 1/3 + 1/2, class 1 1/3, class 2 1 + 0, over 2, 1 and 2 frames.
    means = [(1 / 3 + 1 / 2) / 2, 1 / 3, 1 / 2]
    mean, per_clip = score("MeanIoUMetric")
    assert mean == pytest.approx(sum(means) / 4)
    assert per_clip == pytest.approx({"a": (1 / 3 + 1 / 3 + 1) / 3, "b": (1 / 2 + 0) / 2})
    assert score("MeanIoUMetric", unseen="skip")[0] == pytest.approx(sum(means) / 3)
    assert score("MeanIoUMetric", left_out="background")[0] == pytest.approx(sum(means[1:]) / 3)
    assert score("MeanIoUMetric", left_out="last")[0] == pytest.approx(sum(means) / 3)


def test_f_by_hand() -> None:
    # Frame of b: precision 1/2, recall 1 of class 0; precision of class 2 is 0 / 0.
    half, b = 0.5, 1.3 * 0.5 / (0.3 * 0.5 + 1)
    mean, per_clip = score("ClassFScoreMetric")
    assert mean == pytest.approx(((half + b) / 2 + half + (1 + 0) / 2 + 0) / 4)
    assert per_clip["b"] == pytest.approx(b / 2)


@pytest.mark.parametrize("name", METRIC_NAMES)
def test_padding_counts_as_background_that_is_right_only_where_asked(name: str) -> None:
    frames = 3 * [[0, 0, 0, 0]]
    padded = [clip("a", [[0, 0, 1, 1], *frames], [[0, 1, 1, 0], *frames])]
    short = [clip("a", [[0, 0, 1, 1]], [[0, 1, 1, 0]])]
    mean, per_clip = score(name, padded)
    assert score(name, short, padded_to=4) == (pytest.approx(mean), pytest.approx(per_clip))
    assert score(name, short, padded_to=4)[0] > score(name, short)[0] + 0.05
    blind = {"supervised": torch.tensor([True, False, False, False])}
    assert score(name, [padded[0] | blind]) == score(name, short)


def test_pixels_without_a_label_do_not_count() -> None:
    assert score("MeanIoUMetric", [clip("a", [[0, 1, 3]], [[0, 1, 255]])], unseen="skip")[0] == 1
    none, per_clip = score("MeanIoUMetric", [clip("a", [[0, 1]], [[255, 255]])])
    assert none == 0 and per_clip == {}


def test_frames_are_counted_one_by_one() -> None:
    counts = count_classes(
        torch.tensor([[[0, 1]], [[1, 1]]]), torch.tensor([[[0, 0]], [[1, 2]]]), 3
    )
    assert counts.both.tolist() == [[1, 0, 0], [0, 1, 0]]
    assert counts.predicted.tolist() == [[1, 1, 0], [0, 2, 0]]
    assert counts.true.tolist() == [[2, 0, 0], [0, 1, 1]]
    assert counts.occur.tolist() == [[True, True, False], [False, True, True]]


def test_another_size_interpolates_logits_once() -> None:
    logits = torch.randn(1, K, 3, 3, generator=torch.Generator().manual_seed(0))
    big = torch.nn.functional.interpolate(logits, size=(6, 6), mode="bilinear").argmax(1)
    sample = clip("a", [[0]], [[0]], class_logits=logits, semantic=big.byte())
    sample["predicted_classes"] = torch.zeros_like(sample["semantic"])
    assert score("MeanIoUMetric", [sample], size=6, unseen="skip")[0] == 1


@pytest.mark.parametrize("name", METRIC_NAMES)
def test_what_cannot_be_scored_is_told(name: str) -> None:
    whole = CLIPS[0]
    for key, message in (
        ("class_logits", "this model has no class head"),
        ("semantic", r"semantic=True in data\.val and data\.test"),
    ):
        with pytest.raises(ValueError, match=f"{name} scores classes.*{message}"):
            score(name, [{k: v for k, v in whole.items() if k != key}])
    with pytest.raises(ValueError, match="labels of clip 'a' have classes up to 9"):
        score(name, [whole | {"semantic": torch.full((2, 1, 4), 9, dtype=torch.uint8)}])
    with pytest.raises(ValueError, match=r"(?s)left_out.*unseen.*padded_to=0"):
        METRICS.build(dict(type=name, left_out="first", unseen="no", padded_to=0))


def test_no_clip_is_not_a_number() -> None:
    metric = METRICS.build(dict(type="MeanIoUMetric"))
    assert math.isnan(metric.compute_metrics([])["mIoU"])


def test_means_of_classes() -> None:
    sums = ClassSums(torch.tensor([1.0, 0.0]).double(), torch.tensor([4, 0]))
    expected: Tensor = torch.tensor([0.25, 0.0]).double()
    assert torch.equal(sums.means, expected)
