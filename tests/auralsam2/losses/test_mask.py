"""SAM2's mask loss: formulas, selection, normalisation."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from auralsam2.losses.mask import (
    SAM2MaskLoss,
    dice_loss,
    mask_iou,
    sigmoid_focal_loss,
)
from auralsam2.structures import Prediction

TERMS = ("loss_mask", "loss_dice", "loss_iou", "loss_class")


def make_case(clips=2, frames=3, low=4, size=8, seed=0, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=dtype)

    logits = normal(clips, frames, 3, low, low).requires_grad_()
    ious = normal(clips, frames, 3).sigmoid().requires_grad_()
    scores = normal(clips, frames, 1).requires_grad_()
    masks = (normal(clips, frames, size, size) > 0.3).to(dtype)
    prediction = Prediction(logits, ious, scores, best=logits[:, :, 0].detach())
    return prediction, masks, torch.ones(clips, frames, dtype=torch.bool)


def naive_frame(prediction, masks, clip, frame):
    """Unweighted terms of one frame, from all three masks at full resolution."""
    logits = F.interpolate(
        prediction.mask_logits[clip, frame][None],
        size=masks.shape[-2:],
        mode="bilinear",
        align_corners=False,
    )[0]
    truth = masks[clip, frame]
    terms = []
    for k in range(3):
        p = logits[k].sigmoid()
        p_t = p * truth + (1 - p) * (1 - truth)
        alpha_t = 0.25 * truth + 0.75 * (1 - truth)
        focal = (-alpha_t * (1 - p_t) ** 2 * p_t.log()).mean()
        dice = 1 - (2 * (p * truth).sum() + 1) / (p.sum() + truth.sum() + 1)
        hit = logits[k] > 0
        iou = (hit & (truth > 0)).sum() / max(1, int((hit | (truth > 0)).sum()))
        terms.append((focal, dice, (prediction.ious[clip, frame, k] - iou).abs()))
    present = bool(truth.any())
    score = prediction.object_score_logits[clip, frame, 0]
    object_term = F.softplus(-score if present else score)
    if not present:
        return 0.0, 0.0, 0.0, object_term
    best = min(range(3), key=lambda k: float((20 * terms[k][0] + terms[k][1]).detach()))
    return terms[best][0], terms[best][1], sum(t[2] for t in terms) / 3, object_term


def test_focal_of_one_pixel():
    loss = sigmoid_focal_loss(torch.tensor([[0.0]]), torch.tensor([[1.0]]))
    assert float(loss) == pytest.approx(0.25 * 0.25 * math.log(2))


def test_focal_without_focus_is_half_the_cross_entropy():
    logits, targets = torch.randn(2, 3, 4), (torch.rand(2, 3, 4) > 0.5).float()
    loss = sigmoid_focal_loss(logits, targets, alpha=0.5, gamma=0)
    plain = F.binary_cross_entropy_with_logits(logits, targets, reduction="none").mean((-2, -1))
    torch.testing.assert_close(loss, plain / 2)


def test_dice_of_certain_masks():
    truth = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    certain = (2 * truth - 1) * 100
    assert float(dice_loss(certain, truth)) == pytest.approx(0.0, abs=1e-6)
    assert float(dice_loss(-certain, truth)) == pytest.approx(1 - 1 / 5)


def test_mask_iou_counts_pixels_above_zero():
    logits = torch.tensor([[1.0, 1.0], [0.0, -1.0]])
    assert float(mask_iou(logits, torch.tensor([[1, 0], [1, 0]]))) == pytest.approx(1 / 3)
    assert float(mask_iou(-logits.abs(), torch.zeros(2, 2))) == 0.0


@pytest.mark.parametrize("reduction, divisor", [("mean", 5), ("sum_over_frames", 2)])
def test_module_equals_naive_loop(reduction, divisor):
    prediction, masks, supervised = make_case(dtype=torch.float64)
    masks[0, 1] = 0
    supervised[1, 2] = False
    losses = SAM2MaskLoss(reduction=reduction)(prediction, masks, supervised)
    frames = [naive_frame(prediction, masks, *index) for index in supervised.nonzero().tolist()]
    for weight, term, values in zip((20, 1, 1, 1), TERMS, zip(*frames)):
        torch.testing.assert_close(losses[term], weight * sum(values) / divisor)


def test_gradient_reaches_only_the_selected_mask_of_supervised_frames():
    prediction, masks, supervised = make_case(clips=1)
    supervised[0, 0] = False
    masks[0, 1] = 0
    losses = SAM2MaskLoss()(prediction, masks, supervised)
    sum(losses.values()).backward()
    touched = prediction.mask_logits.grad.abs().sum(dim=(-2, -1))[0] > 0
    assert touched.sum(dim=1).tolist() == [0, 0, 1]
    assert prediction.ious.grad[0, :2].abs().sum() == 0
    assert (prediction.ious.grad[0, 2] != 0).all()
    assert (prediction.object_score_logits.grad[0, :, 0] != 0).tolist() == [False, True, True]


def test_iou_of_the_selected_mask_alone():
    prediction, masks, supervised = make_case(clips=1, frames=1)
    SAM2MaskLoss(supervise_all_iou=False)(prediction, masks, supervised)["loss_iou"].backward()
    assert int((prediction.ious.grad != 0).sum()) == 1


def test_focal_settings_reach_selection_and_loss():
    prediction, masks, supervised = make_case(clips=1, frames=1, low=8, size=8)
    settings = dict(focal_weight=1.0, dice_weight=0.0, focal_alpha=0.5, focal_gamma=0.0)
    truth = masks[0].to(prediction.mask_logits.dtype).expand(3, 8, 8)
    cross_entropy = F.binary_cross_entropy_with_logits(
        prediction.mask_logits[0, 0], truth, reduction="none"
    )
    expected = cross_entropy.mean(dim=(-2, -1)).min() / 2
    losses = SAM2MaskLoss(**settings)(prediction, masks, supervised)
    torch.testing.assert_close(losses["loss_mask"], expected)


def test_loss_size_equals_full_size_on_blocky_truth():
    prediction, masks, supervised = make_case(low=8, size=8)
    large = masks.repeat_interleave(2, dim=-1).repeat_interleave(2, dim=-2)
    expected = SAM2MaskLoss()(prediction, masks, supervised)
    reduced = SAM2MaskLoss(loss_size=8)(prediction, large, supervised)
    for term in TERMS:
        torch.testing.assert_close(reduced[term], expected[term])


def test_object_that_vanishes_at_loss_size_counts_for_the_object_score_only():
    prediction, masks, supervised = make_case(clips=1, frames=1, low=2, size=8)
    masks.zero_()
    masks[..., 0, 0] = 1
    losses = SAM2MaskLoss(loss_size=2)(prediction, masks, supervised)
    assert losses["loss_mask"] == losses["loss_dice"] == losses["loss_iou"] == 0
    expected = F.softplus(-prediction.object_score_logits).squeeze()
    torch.testing.assert_close(losses["loss_class"], expected)


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match="reduction='median'.*mean(.|\n)*loss_size .* got 0"):
        SAM2MaskLoss(reduction="median", loss_size=0)
    prediction, masks, supervised = make_case()
    with pytest.raises(ValueError, match="masks"):
        SAM2MaskLoss()(prediction, masks[:1], supervised)
