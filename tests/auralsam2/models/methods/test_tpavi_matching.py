"""AVSBench's second loss, by hand."""

from __future__ import annotations

import math

import pytest
import torch

from auralsam2.models.methods.tpavi_matching import hard_masks, matching_loss, soft_masks

YES = torch.ones(1, dtype=torch.bool)


def test_value_by_hand_of_two_stages() -> None:
    # The mask covers half of the frame: averages are halves of what stands under it.
    logits = torch.tensor([[[[40.0, -40], [40, -40]]]])
    stage = torch.zeros(1, 2, 2, 2)
    stage[0, 0, :, 0] = 2 * math.log(3)  # mean log 3: shares 3/4 and 1/4
    stage[0, 1, :, 1] = 100  # outside the mask
    audio = torch.zeros(1, 2)  # shares 1/2 and 1/2
    expected = 0.5 * math.log(0.5 / 0.75) + 0.5 * math.log(0.5 / 0.25)
    one = matching_loss([stage], [audio], soft_masks(logits, [stage]), YES)
    assert float(one) == pytest.approx(expected)
    other = torch.zeros(1, 2, 1, 1)  # like its audio: the mean of the stages is half of the first's
    masks = soft_masks(logits, [stage, other])
    both = matching_loss([stage, other], [audio, audio], masks, YES)
    assert float(both) == pytest.approx(expected / 2)


def test_what_is_alike_costs_nothing_and_frames_without_labels_do_not_count() -> None:
    logits = torch.full((2, 1, 4, 4), 40.0)
    audio = torch.tensor([[1.0, 2, 3], [0, 0, 9]], requires_grad=True)
    stage = torch.tensor([1.0, 2, 3])[None, :, None, None].expand(2, 3, 2, 2)
    supervised, masks = torch.tensor([True, False]), soft_masks(logits, [stage])
    loss = matching_loss([stage], [audio], masks, supervised)
    assert float(loss.detach()) == pytest.approx(0, abs=1e-6)
    loss.backward()
    assert audio.grad is not None and not audio.grad[1].any()
    assert matching_loss([stage], [audio], masks, ~supervised) > 0.3
    assert matching_loss([stage], [audio], masks, torch.zeros(2, dtype=torch.bool)) == 0


def test_as_released_frames_are_summed() -> None:
    stage, audio, masks = torch.randn(6, 3, 2, 2), torch.randn(6, 3), [torch.ones(6, 1, 2, 2)]
    supervised = torch.tensor([True, True, True, True, False, False])
    mean, added = (
        matching_loss([stage], [audio], masks, supervised, reduction)
        for reduction in ("mean", "sum_over_frames")
    )
    torch.testing.assert_close(added, 4 * mean)


def test_logits_are_averaged_and_then_squashed() -> None:
    stage = torch.zeros(1, 2, 1, 1)
    logits = torch.tensor([[[[8.0, -2.0], [-2.0, 0.0]]]], requires_grad=True)
    (mask,) = soft_masks(logits, [stage])
    assert float(mask.detach()) == pytest.approx(1 / (1 + math.exp(-1)))
    mask.sum().backward()
    assert logits.grad is not None and logits.grad.all()


def test_masks_of_classes_are_shares_without_a_gradient() -> None:
    class_logits = torch.zeros(1, 3, 2, 2, requires_grad=True)
    with torch.no_grad():
        class_logits[0, 2, 0, 0] = class_logits[0, 1, 1, 0] = 5.0
        class_logits[0, 0, 1, 1] = 0.1  # background wins here and, first of equals, at 0, 1
    (mask,) = hard_masks(class_logits, [torch.zeros(1, 4, 1, 1)])
    assert mask.tolist() == [[[[0.5]]]] and not mask.requires_grad
