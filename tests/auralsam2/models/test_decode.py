"""Decode modes and the results that metrics read."""

from __future__ import annotations

import pytest
import torch

from auralsam2.metrics.f_score import threshold_counts
from auralsam2.metrics.jaccard import jaccard
from auralsam2.models.decode import DECODE_MODES, clip_results, decode_mode
from auralsam2.structures import Prediction

B, T, SIDE = 2, 3, 8


@pytest.fixture
def prediction() -> Prediction:
    """The best mask is the first, second, third of the frames; frame 1 shows no object."""
    mask_logits = torch.randn(B, T, 3, SIDE, SIDE)
    ious = torch.eye(3).expand(B, T, 3)
    best = torch.stack([mask_logits[:, t, t] for t in range(T)], dim=1)
    seen = torch.tensor([2.0, -0.5, 0.1]).expand(B, T)[..., None]
    return Prediction(mask_logits, ious, seen, best)


def test_first_and_best(prediction: Prediction) -> None:
    assert torch.equal(decode_mode("first")(prediction), prediction.mask_logits[:, :, 0])
    assert torch.equal(decode_mode("iou_select")(prediction), prediction.best)


@pytest.mark.parametrize("name", ["iou_occ_select", "iou_occ_select_released"])
def test_frames_with_an_object_are_untouched(prediction: Prediction, name: str) -> None:
    chosen = decode_mode(name)(prediction)
    assert torch.equal(chosen[:, [0, 2]], prediction.best[:, [0, 2]])
    assert (chosen[:, 1] <= 0).all()


@pytest.mark.parametrize(
    ("name", "thresholds"), [("iou_occ_select", 1), ("iou_occ_select_released", 128)]
)
def test_rejected_frames_are_empty_for_j_and_as_released_not_for_f(
    prediction: Prediction, name: str, thresholds: int
) -> None:
    """At threshold 0 every pixel counts in any mode; as released, up to 0.5 it does."""
    rejected = decode_mode(name)(prediction)[0, 1:2]
    empty = torch.zeros(1, SIDE, SIDE)
    assert jaccard(rejected, empty).tolist() == [1.0]
    num_predicted, _, _ = threshold_counts(rejected.sigmoid(), empty)
    assert int((num_predicted > 0).sum()) == thresholds


def test_results_hold_native_and_decoders_own_size(prediction: Prediction) -> None:
    truth = [torch.zeros(T, 20, 30), torch.ones(T, SIDE, SIDE)]
    supervised = torch.tensor([[True, False, False], [True, True, True]])
    results = clip_results(prediction, decode_mode("first"), truth, supervised, ["a", "b"])
    assert [r["clip"] for r in results] == ["a", "b"]
    assert [tuple(r["mask_logits"].shape) for r in results] == [(T, 20, 30), (T, SIDE, SIDE)]
    low = prediction.mask_logits[1, :, 0]
    torch.testing.assert_close(results[1]["mask_logits"], low)
    assert torch.equal(results[1]["low_res_logits"], low)
    assert torch.equal(results[0]["supervised"], supervised[0])
    assert torch.equal(results[0]["object_score_logits"], torch.tensor([2.0, -0.5, 0.1]))


def test_unknown_mode_names_the_known() -> None:
    with pytest.raises(ValueError, match="'best'.*" + ", ".join(DECODE_MODES)):
        decode_mode("best")
