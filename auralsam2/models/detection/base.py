"""The contract of a detector: frames to boxes with the names of classes.

Axes: B clips, T frames, D boxes of the frame that has most, K classes, Q cells of the map.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
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


class Detector(nn.Module, ABC):
    """Find objects of named classes in frames.

    A subclass registers itself in ``DETECTORS``. Its constructor may take ``channels`` (C) and
    ``num_classes`` (K), given by the model, and own keywords, all with defaults unless they name
    files. It answers for each frame alone, and one clip never sees another.
    """

    @abstractmethod
    def forward(self, pyramid: VisualPyramid, clip: Sequence[str]) -> Detections:
        """Boxes of B clips.

        Args:
            pyramid: of SAM2's image encoder, T frames a clip.
            clip: B names.
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
            found = self(pyramid, clip)
            inside = share_of_masks(found.boxes.flatten(0, 1), evidence.masks.flatten(0, 1))
            scores = torch.where(inside >= FILLED, found.scores.flatten(0, 1), 0.0)
            seen = torch.zeros_like(evidence.heard).flatten(0, 1)
            labels = found.labels.flatten(0, 1).clamp(min=0)  # those without a box have score 0
            seen = seen.scatter_reduce(1, labels, scores.to(seen), "amax")
        return {}, seen.view_as(evidence.heard)


def share_of_masks(boxes: Tensor, masks: Tensor) -> Tensor:
    """How much of each box a mask fills.

    Args:
        boxes: (F, D, 4) as shares of the frame's sides.
        masks: (F, S, S) in {0, 1}.

    Returns:
        (F, D) in [0, 1].
    """
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
