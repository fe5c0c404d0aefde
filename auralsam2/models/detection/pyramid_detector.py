"""A small detector on SAM2's frozen pyramid, trained from masks and the names of a clip's sources.

Axes: B clips, T frames, F = B T frames, K classes, P cells to a side of the map (2E), Q = P P.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from auralsam2.messages import too_small
from auralsam2.models.detection.base import (
    Assignment,
    Boxes,
    Detections,
    Detector,
    Evidence,
    assign_cells,
    boxes_of_parts,
    cell_centres,
    padded,
)
from auralsam2.registry import DETECTORS
from auralsam2.shapes import check_shape
from auralsam2.structures import VisualPyramid

NUM_GROUPS = 8
BOX_UNIT = 0.25
"""Share of the frame's side that one unit of the box branch stands for."""
TINY = 1e-6


@DETECTORS.register_module()
class PyramidDetector(Detector):
    """One box, one object score and one class a cell, without anchors (FCOS, Tian et al. 2019).

    The three levels are brought to the middle one's grid and added; two convolutions follow. What
    it learns from:

    * *boxes and object score*: boxes of the connected parts of the masks. An object that is seen
      and silent is in no mask; cells without a mask are therefore weak negatives.
    * *classes*: nobody says which part of a mask is which source. A box's class is one of those
      that the clip's index row names (partial labels), and the likelier the more the sound
      classifier hears it in that second.

    Args:
        channels: C of the pyramid.
        num_classes: K.
        width: channels of the head, divisible by 8.
        negative_weight: weight of a cell outside all masks in the object score's loss.
        box_weight: weight of ``loss_box``.
        min_score: boxes below are not given out.
        nms_iou: of two boxes of a class that overlap more, the lower one is left out.
        max_boxes: of a frame, those of the highest scores.

    Raises:
        ValueError: listing every argument that is out of range.
    """

    def __init__(
        self,
        channels: int,
        num_classes: int,
        width: int = 64,
        negative_weight: float = 0.25,
        box_weight: float = 2.0,
        min_score: float = 0.05,
        nms_iou: float = 0.5,
        max_boxes: int = 100,
    ) -> None:
        super().__init__()
        problems = too_small(
            num_classes=(num_classes, 1),
            max_boxes=(max_boxes, 1),
            negative_weight=(negative_weight, 0),
            box_weight=(box_weight, 0),
        )
        if width < 1 or width % NUM_GROUPS:
            problems.append(f"width must be a positive multiple of {NUM_GROUPS}, got {width}")
        for name, share in (("min_score", min_score), ("nms_iou", nms_iou)):
            if not 0 <= share <= 1:
                problems.append(f"{name} must be from 0 to 1, got {share}")
        if problems:
            raise ValueError("PyramidDetector: " + "; ".join(problems))
        self.num_classes = num_classes
        self.negative_weight, self.box_weight = negative_weight, box_weight
        self.min_score, self.nms_iou, self.max_boxes = min_score, nms_iou, max_boxes
        self.reduce = nn.ModuleList(nn.Conv2d(channels, width, 1) for _ in range(3))
        self.tower = nn.Sequential(_block(width), _block(width))
        self.head = nn.Conv2d(width, 1 + 4 + num_classes, 1)
        nn.init.normal_(self.head.weight, std=0.01)
        nn.init.zeros_(self.head.bias)
        # Nothing is an object at first: the many negatives would drown the first steps.
        nn.init.constant_(self.head.bias[:1], -2.0)

    def maps(self, pyramid: VisualPyramid) -> tuple[Tensor, Tensor, Tensor]:
        """Score logits (F, Q), corners (F, Q, 4) as shares, class logits (F, Q, K)."""
        if len(pyramid.levels) != 3:
            raise ValueError(
                f"PyramidDetector reads three maps, and the backbone gives {len(pyramid.levels)}; "
                "set `model.backbone` to one that has three, or take another detector"
            )
        fine, middle, coarse = (level.flatten(0, 1) for level in pyramid.levels)
        side = middle.shape[-1]
        joined = (
            self.reduce[0](F.avg_pool2d(fine, fine.shape[-1] // side))
            + self.reduce[1](middle)
            + F.interpolate(self.reduce[2](coarse), size=(side, side), mode="nearest")
        )
        out = self.head(self.tower(joined)).float().flatten(2).transpose(1, 2)
        score, reach, classes = out.split([1, 4, self.num_classes], dim=-1)
        centres = cell_centres(side, out.device)
        left_top, right_bottom = (BOX_UNIT * F.softplus(reach)).chunk(2, dim=-1)
        corners = torch.cat([centres - left_top, centres + right_bottom], dim=-1)
        return score[..., 0], corners, classes

    def losses(
        self, pyramid: VisualPyramid, clip: Sequence[str], evidence: Evidence
    ) -> tuple[dict[str, Tensor], Tensor]:
        """``loss_object``, ``loss_box``, ``loss_label``; zero with a graph where nothing counts."""
        from torchvision.ops import generalized_box_iou_loss

        check_shape(evidence.sources, "B K", "sources", K=self.num_classes)
        score, corners, classes = self.maps(pyramid)
        batch, num_frames = evidence.supervised.shape
        used = evidence.supervised.flatten()
        masks = evidence.masks.flatten(0, 1) * used[:, None, None]
        side = pyramid.levels[1].shape[-1]
        boxes = boxes_of_parts(masks)
        cells = assign_cells(boxes, batch * num_frames, side)
        at = (cells.frame, cells.cell)
        label = self._label_scores(classes[at], evidence, cells.frame)  # (A, K)
        told = label.isfinite().any(-1)
        count = max(1, len(cells.cell))
        apart = generalized_box_iou_loss(corners[at], boxes.corners[cells.box], reduction="sum")
        losses = {
            "loss_object": self._object_loss(score, masks, cells, used) / count,
            "loss_box": self.box_weight * apart / count,
            "loss_label": -label[told].logsumexp(-1).sum() / count,
        }
        names = torch.where(told[:, None], label.detach().softmax(-1), 0.0)
        seen = _seen(names, cells, boxes, batch * num_frames)
        return losses, seen.unflatten(0, (batch, num_frames))

    def _label_scores(self, classes: Tensor, evidence: Evidence, frame: Tensor) -> Tensor:
        """Of cells, log of class probability times that of being heard; -inf where not named."""
        named = evidence.sources[frame // evidence.supervised.shape[1]]
        heard = evidence.heard.flatten(0, 1)[frame] + TINY
        return F.log_softmax(classes, dim=-1) + (named * heard).log()

    def _object_loss(self, score: Tensor, masks: Tensor, cells: Assignment, used: Tensor) -> Tensor:
        """Focal loss; cells of a mask that answer for no box are left out."""
        positive = torch.zeros_like(score)
        positive[cells.frame, cells.cell] = 1
        side = int(score.shape[1] ** 0.5)
        touched = F.adaptive_max_pool2d(masks[:, None].float(), side).flatten(1) > 0
        weight = torch.where(touched, 0.0, self.negative_weight)
        weight = torch.where(positive > 0, 1.0, weight) * used[:, None]
        bce = F.binary_cross_entropy_with_logits(score, positive, reduction="none")
        wrong = (positive - score.sigmoid()).abs() ** 2
        return (weight * wrong * bce).sum()

    @torch.no_grad()
    def forward(
        self,
        pyramid: VisualPyramid,
        clip: Sequence[str],
        frames: object = None,
        heard: object = None,
    ) -> Detections:
        """Boxes with a score of ``min_score``: the object's times the class's."""
        from torchvision.ops import batched_nms

        score, corners, classes = self.maps(pyramid)
        both = score.sigmoid()[..., None] * classes.softmax(-1)  # (F, Q, K)
        batch, num_frames = pyramid.levels[0].shape[:2]
        frame, cell, label = (both >= self.min_score).nonzero(as_tuple=True)
        found = corners[frame, cell].clamp(0, 1)
        values = both[frame, cell, label]
        kept = batched_nms(found, values, frame * self.num_classes + label, self.nms_iou)
        return padded(
            *(found[kept], label[kept], values[kept], frame[kept]),
            shape=(batch, num_frames),
            most=self.max_boxes,
        )


def _block(width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(width, width, 3, padding=1, bias=False),
        nn.GroupNorm(NUM_GROUPS, width),
        nn.ReLU(),
    )


def _seen(labels: Tensor, cells: Assignment, boxes: Boxes, num_frames: int) -> Tensor:
    """(F, K): probability that at least one box of the frame is of a class; labels (A, K)."""
    count = torch.bincount(cells.box, minlength=len(boxes.frame)).clamp(min=1)
    mean = labels.new_zeros(len(boxes.frame), labels.shape[1])
    mean = mean.index_add(0, cells.box, labels) / count[:, None]
    missed = labels.new_zeros(num_frames, labels.shape[1])
    missed = missed.index_add(0, boxes.frame, torch.log1p(-mean.clamp(max=1 - TINY)))
    return 1 - missed.exp()
