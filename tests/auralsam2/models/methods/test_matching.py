"""AVSBench's second loss, with numbers by hand."""

import math

import pytest
import torch

from auralsam2.models.methods.matching import matching_loss


def test_value_by_hand_of_two_stages() -> None:
    # The mask covers half of the frame: averages are halves of what stands under it.
    logits = torch.tensor([[[40.0, -40], [40, -40]]])
    stage = torch.zeros(1, 2, 2, 2)
    stage[0, 0, :, 0] = 2 * math.log(3)  # mean log 3: shares 3/4 and 1/4
    stage[0, 1, :, 1] = 100  # outside the mask
    audio = torch.zeros(1, 2)  # shares 1/2 and 1/2
    expected = 0.5 * math.log(0.5 / 0.75) + 0.5 * math.log(0.5 / 0.25)
    yes = torch.ones(1, dtype=torch.bool)
    assert float(matching_loss([stage], [audio], logits, yes)) == pytest.approx(expected)
    both = matching_loss([stage, stage], [audio, audio], logits, yes)
    assert float(both) == pytest.approx(2 * expected)


def test_what_is_alike_costs_nothing_and_frames_without_labels_do_not_count() -> None:
    logits = torch.full((2, 4, 4), 40.0)
    audio = torch.tensor([[1.0, 2, 3], [0, 0, 9]], requires_grad=True)
    stage = torch.tensor([1.0, 2, 3])[None, :, None, None].expand(2, 3, 2, 2)
    supervised = torch.tensor([True, False])
    loss = matching_loss([stage], [audio], logits, supervised)
    assert float(loss.detach()) == pytest.approx(0, abs=1e-6)
    loss.backward()
    assert audio.grad is not None and not audio.grad[1].any()
    assert matching_loss([stage], [audio], logits, ~supervised) > 0.3
    assert matching_loss([stage], [audio], logits, torch.zeros(2, dtype=torch.bool)) == 0
