"""The contract of a detector, frames to boxes with the names of classes, and boxes of masks.

Axes: B clips, T frames, F = B T, D boxes of the frame that has most, R boxes of all frames
together, K classes, P cells to a side of a map, S side of a mask.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor, nn

from auralsam2.structures import VisualPyramid

NO_BOX = -1
FILLED = 1 / 3
"""Share of a box that a mask must fill to be taken for the object's: a crescent fills little."""


class Detections(NamedTuple):
    """Boxes of every frame, padded to one number of them."""

    boxes: Tensor  # (B, T, D, 4) left, top, right, bottom as shares of the frame's sides
    labels: Tensor  # (B, T, D) long, the class; ``NO_BOX`` where there is none
    scores: Tensor  # (B, T, D) in [0, 1]


class Evidence(NamedTuple):
    """What a training batch tells about boxes."""

    masks: Tensor  # (B, T, S, S) in {0, 1}, everything that sounds and is seen
    supervised: Tensor  # (B, T) bool
    sources: Tensor  # (B, K) in {0, 1}, classes that sound anywhere in the clip
    heard: Tensor  # (B, T, K) probability that a class sounds in the frame's second, a constant
    frames: Tensor | None = None  # (B, T, 3, S, S) uint8


class Detector(nn.Module, ABC):
    """Find objects of named classes in frames.

    A subclass registers itself in ``DETECTORS``. Its constructor may take ``channels`` (C) and
    ``num_classes`` (K), given by the model, and own keywords, all with defaults unless they name
    files. It answers for each frame alone, and one clip never sees another.
    """

    @abstractmethod
    def forward(
        self,
        pyramid: VisualPyramid,
        clip: Sequence[str],
        frames: Tensor | None = None,
        heard: Tensor | None = None,
    ) -> Detections:
        """Boxes of B clips.

        Args:
            pyramid: of SAM2's image encoder, T frames a clip.
            clip: B names.
            frames: (B, T, 3, S, S) uint8 RGB, for detectors with an image encoder of their own.
            heard: (B, T, K) bool, whose boxes alone will be read: a detector that looks for one
                class after the other may leave the others out; ``None``: all.
        """

    def losses(
        self, pyramid: VisualPyramid, clip: Sequence[str], evidence: Evidence
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Losses of a training step; none for a detector that learns nothing.

        Args:
            pyramid: of B clips.
            clip: B names.
            evidence: what is known about them.

        Returns:
            Named scalars, and (B, T, K) in [0, 1], a constant: how sure it is that an object of
            each class is inside the frame's mask. Here, the score of the best box that the mask
            fills to a third.
        """
        with torch.no_grad():
            heard = evidence.sources[:, None].bool().expand_as(evidence.heard)
            found = self(pyramid, clip, evidence.frames, heard)
            inside = share_of_masks(found.boxes.flatten(0, 1), evidence.masks.flatten(0, 1))
            scores = torch.where(inside >= FILLED, found.scores.flatten(0, 1), 0.0)
            seen = torch.zeros_like(evidence.heard).flatten(0, 1)
            labels = found.labels.flatten(0, 1).clamp(min=0)  # those without a box have score 0
            seen = seen.scatter_reduce(1, labels, scores.to(seen), "amax")
        return {}, seen.view_as(evidence.heard)


def share_of_masks(boxes: Tensor, masks: Tensor) -> Tensor:
    """How much of each box (F, D, 4) the frame's mask (F, S, S) fills, (F, D) in [0, 1]."""
    side = masks.shape[-1]
    sums = F.pad(masks.double().cumsum(-1).cumsum(-2), (1, 0, 1, 0))  # integral images
    left, top, right, bottom = (boxes * side).round().long().clamp(0, side).unbind(-1)
    frame = torch.arange(len(masks), device=masks.device)[:, None]
    inside = (
        sums[frame, bottom, right]
        - sums[frame, top, right]
        - sums[frame, bottom, left]
        + sums[frame, top, left]
    )
    return inside / ((right - left) * (bottom - top)).clamp(min=1)


class Boxes(NamedTuple):
    """Boxes of a batch in one list."""

    frame: Tensor  # (R,) long, the frame that each is in
    corners: Tensor  # (R, 4) left, top, right, bottom as shares of the frame's sides


def boxes_of_parts(masks: Tensor, min_area: float = 0.002) -> Boxes:
    """Bounding boxes of the connected parts of masks.

    Two objects that touch are one part, an object cut in two by another is two. Parts below
    ``min_area``, a share of the frame, are left out.
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


def assign_cells(boxes: Boxes, num_frames: int, side: int) -> Assignment:
    """Give every box the cells about its middle, and at least the nearest one.

    A cell's centre must lie in the central half of a box's sides; where boxes compete for a
    cell the smallest wins, as in FCOS.
    """
    centres = cell_centres(side, boxes.corners.device)
    low, high = boxes.corners[:, :2], boxes.corners[:, 2:]
    middle, reach = (low + high) / 2, (high - low) / 4
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


def padded(
    boxes: Tensor,
    labels: Tensor,
    scores: Tensor,
    frame: Tensor,
    shape: tuple[int, int],
    most: int,
) -> Detections:
    """Boxes in one list, best first, to frames padded to one number of boxes, ``most`` at most."""
    num_frames = shape[0] * shape[1]
    order = torch.argsort(frame, stable=True)
    frame = frame[order]
    count = torch.bincount(frame, minlength=num_frames)
    place = torch.arange(len(frame), device=frame.device) - (count.cumsum(0) - count)[frame]
    width = int(count.clamp(max=most).max())
    kept = place < width
    out = Detections(
        boxes.new_zeros(num_frames, width, 4),
        torch.full((num_frames, width), NO_BOX, dtype=torch.long, device=boxes.device),
        scores.new_zeros(num_frames, width),
    )
    for target, values in zip(out, (boxes, labels, scores), strict=True):
        target[frame[kept], place[kept]] = values[order[kept]]
    return Detections(*(x.unflatten(0, shape) for x in out))
