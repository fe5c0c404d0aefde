"""What every detector tells a sound classifier about frames."""

from collections.abc import Sequence

import torch

from auralsam2.models.detection import base
from auralsam2.models.detection.base import (
    NO_BOX,
    Detections,
    Detector,
    Evidence,
)
from auralsam2.structures import VisualPyramid


class FixedDetector(Detector):
    """One clip of two frames."""

    def forward(self, pyramid: VisualPyramid, clip: Sequence[str], *_: object) -> Detections:
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
        base.share_of_masks(boxes, masks).float(), torch.tensor([[0.6, 1.0, 0, 0]])
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


def test_each_part_of_a_mask_has_a_box_and_specks_have_none() -> None:
    masks = torch.zeros(3, 20, 20)
    masks[0, 2:6, 4:12] = 1
    masks[0, 10:20, 15:20] = 1
    masks[0, 0, 19] = 1  # a speck
    masks[2, 5:7, 5:7] = masks[2, 7:9, 7:9] = 1  # they touch at a corner
    boxes = base.boxes_of_parts(masks, min_area=0.01)
    assert boxes.frame.tolist() == [0, 0, 2]
    expected = torch.tensor([[4, 2, 12, 6], [15, 10, 20, 20], [5, 5, 9, 9]]) / 20
    torch.testing.assert_close(boxes.corners, expected)


def test_no_mask_no_box() -> None:
    boxes = base.boxes_of_parts(torch.zeros(2, 8, 8))
    assert boxes.frame.shape == (0,) and boxes.corners.shape == (0, 4)
    assert len(base.assign_cells(boxes, 2, 4).cell) == 0


def test_centres_run_row_by_row() -> None:
    assert base.cell_centres(2).tolist() == [[0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]]


def test_the_middle_of_a_box_answers_for_it_and_small_boxes_win() -> None:
    large, small = [0.0, 0.0, 1.0, 1.0], [0.55, 0.55, 0.70, 0.70]
    tiny = [0.01, 0.01, 0.02, 0.02]  # no centre of a cell lies in it
    boxes = base.Boxes(torch.tensor([0, 0, 1]), torch.tensor([large, small, tiny]))
    cells = base.assign_cells(boxes, num_frames=3, side=4)
    found = {
        (f, c): b
        for f, c, b in zip(*(x.tolist() for x in (cells.frame, cells.cell, cells.box)), strict=True)
    }
    assert found == {(0, 5): 0, (0, 6): 0, (0, 9): 0, (0, 10): 1, (1, 0): 2}
