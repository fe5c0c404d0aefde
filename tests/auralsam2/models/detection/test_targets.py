"""Boxes of masks, and who answers for them."""

import torch

from auralsam2.models.detection.targets import Boxes, assign_cells, boxes_of_parts, cell_centres


def test_each_part_of_a_mask_has_a_box_and_specks_have_none() -> None:
    masks = torch.zeros(3, 20, 20)
    masks[0, 2:6, 4:12] = 1
    masks[0, 10:20, 15:20] = 1
    masks[0, 0, 19] = 1  # a speck
    masks[2, 5:7, 5:7] = masks[2, 7:9, 7:9] = 1  # they touch at a corner
    boxes = boxes_of_parts(masks, min_area=0.01)
    assert boxes.frame.tolist() == [0, 0, 2]
    expected = torch.tensor([[4, 2, 12, 6], [15, 10, 20, 20], [5, 5, 9, 9]]) / 20
    torch.testing.assert_close(boxes.corners, expected)


def test_no_mask_no_box() -> None:
    boxes = boxes_of_parts(torch.zeros(2, 8, 8))
    assert boxes.frame.shape == (0,) and boxes.corners.shape == (0, 4)
    assert len(assign_cells(boxes, 2, 4).cell) == 0


def test_centres_run_row_by_row() -> None:
    assert cell_centres(2).tolist() == [[0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]]


def test_the_middle_of_a_box_answers_for_it_and_small_boxes_win() -> None:
    large, small = [0.0, 0.0, 1.0, 1.0], [0.55, 0.55, 0.70, 0.70]
    tiny = [0.01, 0.01, 0.02, 0.02]  # no centre of a cell lies in it
    boxes = Boxes(torch.tensor([0, 0, 1]), torch.tensor([large, small, tiny]))
    cells = assign_cells(boxes, num_frames=3, side=4)
    found = {
        (f, c): b
        for f, c, b in zip(*(x.tolist() for x in (cells.frame, cells.cell, cells.box)), strict=True)
    }
    assert found == {(0, 5): 0, (0, 6): 0, (0, 9): 0, (0, 10): 1, (1, 0): 2}
