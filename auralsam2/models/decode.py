"""From the decoder's three candidate masks to one mask a frame, at the truth's own size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from auralsam2.structures import Prediction

EMPTY_LOGIT = -1024.0
"""Of frames in which nothing is to be segmented: below any threshold of the F measure."""


def first(prediction: Prediction) -> Tensor:
    """The first of the three multimask outputs."""
    return prediction.mask_logits[:, :, 0]


def iou_select(prediction: Prediction) -> Tensor:
    """The mask with the highest predicted IoU (published)."""
    return prediction.best


def iou_occ_select(prediction: Prediction) -> Tensor:
    """As ``iou_select``; frames in which no object is seen become empty."""
    return _reject(prediction, EMPTY_LOGIT)


def iou_occ_select_released(prediction: Prediction) -> Tensor:
    """As released, rejected frames get logit 0.

    That is a probability of one half: empty for J and S, yet all foreground at half of the
    thresholds of F, and for J at the Ref-AVS benchmark's threshold of 0.4.
    """
    return _reject(prediction, 0.0)


def _reject(prediction: Prediction, logit: float) -> Tensor:
    seen = prediction.object_score_logits[..., None] > 0
    return torch.where(seen, prediction.best, logit)


Decode = Callable[[Prediction], Tensor]

DECODE_MODES: dict[str, Decode] = {
    "first": first,
    "iou_select": iou_select,
    "iou_occ_select": iou_occ_select,
    "iou_occ_select_released": iou_occ_select_released,
}


def decode_mode(name: str) -> Decode:
    """The function of a mode, Prediction -> (B, T, 4E, 4E) logits; a ValueError names the known."""
    if name not in DECODE_MODES:
        raise ValueError(f"evaluation.decode got {name!r}; known: {', '.join(DECODE_MODES)}")
    return DECODE_MODES[name]


def clip_results(
    prediction: Prediction,
    decode: Decode,
    truth: Sequence[Tensor],
    supervised: Tensor,
    clip: Sequence[str],
) -> list[dict[str, Any]]:
    """One answer a clip, as metrics read it; a prediction may be decoded in several modes.

    Args:
        prediction: of B clips.
        decode: one of ``DECODE_MODES``.
        truth: B tensors (T, H, W), each of its own size.
        supervised: (B, T) bool.
        clip: B names.

    Returns:
        B dicts: ``clip``, ``mask_logits`` (T, H, W) bilinearly interpolated from
        ``low_res_logits`` (T, 4E, 4E), ``masks`` (the truth), ``supervised`` (T,), ``ious``
        (T, 3), ``object_score_logits`` (T,).
    """
    chosen = decode(prediction).float()
    return [
        {
            "clip": name,
            "mask_logits": F.interpolate(
                chosen[i][None], size=truth[i].shape[-2:], mode="bilinear", align_corners=False
            )[0],
            "low_res_logits": chosen[i],
            "masks": truth[i],
            "supervised": supervised[i],
            "ious": prediction.ious[i],
            "object_score_logits": prediction.object_score_logits[i, :, 0],
        }
        for i, name in enumerate(clip)
    ]
