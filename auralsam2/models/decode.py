"""From the decoder's three candidate masks to one mask a frame."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from auralsam2.structures import Prediction

# Far below any threshold of the F measure, so that a rejected frame is empty for every metric.
REJECTED = -1024.0


def first(prediction: Prediction) -> Tensor:
    """The first of the three multimask outputs."""
    return prediction.mask_logits[:, :, 0]


def iou_select(prediction: Prediction) -> Tensor:
    """The mask with the highest predicted IoU (published)."""
    return prediction.best


def iou_occ_select(prediction: Prediction) -> Tensor:
    """As ``iou_select``; frames in which no object is seen become empty."""
    seen = prediction.object_score_logits[..., None] > 0
    return torch.where(seen, prediction.best, REJECTED)


DECODE_MODES: dict[str, Callable[[Prediction], Tensor]] = {
    "first": first,
    "iou_select": iou_select,
    "iou_occ_select": iou_occ_select,
}


def decode_mode(name: str) -> Callable[[Prediction], Tensor]:
    """Look a mode up.

    Returns:
        Prediction -> (B, T, 4E, 4E) logits.

    Raises:
        ValueError: on an unknown name.
    """
    if name not in DECODE_MODES:
        raise ValueError(f"evaluation.decode got {name!r}; known: {', '.join(DECODE_MODES)}")
    return DECODE_MODES[name]
