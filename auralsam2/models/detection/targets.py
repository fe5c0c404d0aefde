"""Boxes of the parts of masks, and the cells of a map that answer for them.

Axes: F frames, R boxes of all frames together, P cells to a side of the map, S side of a mask.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Boxes(NamedTuple):
    """Boxes of a batch in one list."""

    frame: Tensor  # (R,) long, the frame that each is in
    corners: Tensor  # (R, 4) left, top, right, bottom as shares of the frame's sides


def boxes_of_parts(masks: Tensor, min_area: float = 0.002) -> Boxes:
    """Bounding boxes of the connected parts of masks.

    Two objects that touch are one part, an object cut in two by another is two.

    Args:
        masks: (F, S, S) in {0, 1}.
        min_area: smaller parts, as a share of the frame, are left out.
    """
    frames: list[int] = []
    corners: list[NDArray[np.float64]] = []
    for index, mask in enumerate(masks.cpu().numpy() > 0):
        found = _parts(mask, min_area)
        frames += [index] * len(found)
        corners += found
    stacked = np.stack(corners) if corners else np.zeros((0, 4))
    return Boxes(
        torch.tensor(frames, dtype=torch.long, device=masks.device),
        torch.as_tensor(stacked, dtype=torch.float32, device=masks.device),
    )


def _parts(mask: NDArray[np.bool_], min_area: float) -> list[NDArray[np.float64]]:
    from scipy import ndimage

    labels, _ = ndimage.label(mask, structure=np.ones((3, 3)))
    areas = np.bincount(labels.ravel())[1:]
    size = np.array([mask.shape[1], mask.shape[0]] * 2)
    return [
        np.array([cols.start, rows.start, cols.stop, rows.stop]) / size
        for (rows, cols), area in zip(ndimage.find_objects(labels), areas, strict=True)
        if area >= min_area * mask.size
    ]


def cell_centres(side: int, device: torch.device | None = None) -> Tensor:
    """(P * P, 2) x and y of the centres of a map's cells, row by row, as shares of the side."""
    line = (torch.arange(side, device=device) + 0.5) / side
    y, x = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([x, y], dim=-1).view(-1, 2)


class Assignment(NamedTuple):
    """Cells that answer for boxes; a cell answers for one box at most."""

    frame: Tensor  # (A,) long
    cell: Tensor  # (A,) long, row by row
    box: Tensor  # (A,) long, row of the list of boxes


def assign_cells(boxes: Boxes, num_frames: int, side: int, central: float = 0.5) -> Assignment:
    """Give every box the cells about its middle, and at least the nearest one.

    Args:
        boxes: of ``num_frames`` frames.
        num_frames: F.
        side: P.
        central: share of a box's sides in which a cell's centre must lie; where boxes compete
            for a cell the smallest wins, as in FCOS.
    """
    centres = cell_centres(side, boxes.corners.device)
    low, high = boxes.corners[:, :2], boxes.corners[:, 2:]
    middle, reach = (low + high) / 2, (high - low) / 2 * central
    distance = (centres - middle[:, None]).abs()  # (R, P P, 2)
    inside = (distance <= reach[:, None]).all(-1)
    if len(inside):
        nearest = distance.square().sum(-1).argmin(1)
        inside[torch.arange(len(inside), device=inside.device), nearest] = True
    # Written from the largest to the smallest box: the last writer owns the cell.
    owner = torch.full((num_frames, side * side), -1, device=centres.device)
    for index in (high - low).prod(-1).argsort(descending=True).tolist():
        owner[boxes.frame[index], inside[index]] = index
    frame, cell = (owner >= 0).nonzero(as_tuple=True)
    return Assignment(frame, cell, owner[frame, cell])
