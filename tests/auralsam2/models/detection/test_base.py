"""What every detector tells a sound classifier about frames."""

from collections.abc import Sequence

import torch

from auralsam2.models.detection.base import (
    NO_BOX,
    Detections,
    Detector,
    Evidence,
    share_of_masks,
)
from auralsam2.structures import VisualPyramid


class FixedDetector(Detector):
    """One clip of two frames."""

    def forward(self, pyramid: VisualPyramid, clip: Sequence[str]) -> Detections:
        left, right, empty = [0.0, 0.0, 0.5, 1.0], [0.5, 0.0, 1.0, 1.0], [0.0] * 4
        return Detections(
            torch.tensor([[[left, right, left], [right, empty, empty]]]),
            torch.tensor([[[0, 1, 0], [2, NO_BOX, NO_BOX]]]),
            torch.tensor([[[0.4, 0.9, 0.7], [0.8, 0.0, 0.0]]]),
        )


def test_share_of_masks() -> None:
    masks = torch.zeros(1, 10, 10)
    masks[0, :, :3] = 1
    boxes = torch.tensor([[[0, 0, 0.5, 1], [0, 0, 0.3, 0.2], [0.4, 0, 1, 1], [0, 0, 0, 0]]])
    torch.testing.assert_close(
        share_of_masks(boxes, masks).float(), torch.tensor([[0.6, 1.0, 0, 0]])
    )


def test_a_detector_that_learns_nothing_saw_what_the_masks_fill() -> None:
    masks = torch.zeros(1, 2, 10, 10)
    masks[0, 0, :, :4] = 1  # the left half of frame 0; nothing in frame 1
    evidence = Evidence(
        masks, torch.ones(1, 2, dtype=torch.bool), torch.ones(1, 3), torch.zeros(1, 2, 3)
    )
    losses, seen = FixedDetector().losses(VisualPyramid(()), ["a"], evidence)
    assert losses == {}
    torch.testing.assert_close(seen, torch.tensor([[[0.7, 0, 0], [0, 0, 0]]]))
