"""SAM2's loss over all four output tokens of one decoding."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from auralsam2.models.backbones.sam2.network import Decoded

FOCAL, DICE, IOU, OBJECT = 20.0, 1.0, 1.0, 1.0
ALPHA, GAMMA = 0.25, 2.0


def all_token_loss(out: Decoded, masks: Tensor) -> dict[str, Tensor]:
    """Single-mask token and the best multimask token supervised, IoU of all four, object score.

    Args:
        out: with all four masks, (B, 4, h, h).
        masks: (B, S, S) in {0, 1}; empty where the object is not seen (only its score counts).

    Returns:
        ``loss_mask``, ``loss_dice``, ``loss_iou``, ``loss_class``: scalars, weighted.
    """
    size = masks.shape[-2:]
    truth = masks.float()
    seen = truth.flatten(1).amax(1)
    count = seen.sum().clamp(min=1)
    with torch.no_grad():
        # Choosing at low resolution quarters the cost of the four masks; the loss itself is
        # taken at full resolution for the two that are supervised.
        low = F.interpolate(truth[:, None], size=out.mask_logits.shape[-2:], mode="area")
        score = FOCAL * _focal(out.mask_logits, low) + DICE * _dice(out.mask_logits, low)
        best = 1 + score[:, 1:].argmin(1)
        actual = _iou(out.mask_logits, low)
    rows = torch.arange(len(truth), device=truth.device)
    chosen = torch.stack([out.mask_logits[:, 0], out.mask_logits[rows, best]], dim=1)
    full = F.interpolate(chosen, size=size, mode="bilinear", align_corners=False)
    target = truth[:, None].expand_as(full)
    focal, dice = _focal(full, target).mean(1), _dice(full, target).mean(1)
    iou = F.l1_loss(out.ious.float(), actual, reduction="none").mean(1)
    score_logits = out.object_score_logits[:, 0].float()
    return {
        "loss_mask": FOCAL * (focal * seen).sum() / count,
        "loss_dice": DICE * (dice * seen).sum() / count,
        "loss_iou": IOU * (iou * seen).sum() / count,
        "loss_class": OBJECT * F.binary_cross_entropy_with_logits(score_logits, seen),
    }


def _focal(logits: Tensor, target: Tensor) -> Tensor:
    """(B, M): sigmoid focal loss averaged over pixels; ``target`` may be a soft mask."""
    bce = F.binary_cross_entropy_with_logits(logits, target.expand_as(logits), reduction="none")
    probability = logits.sigmoid()
    p_true = probability * target + (1 - probability) * (1 - target)
    weight = ALPHA * target + (1 - ALPHA) * (1 - target)
    return (weight * (1 - p_true) ** GAMMA * bce).flatten(2).mean(2)


def _dice(logits: Tensor, target: Tensor) -> Tensor:
    p = logits.sigmoid().flatten(2)
    t = target.expand_as(logits).flatten(2)
    return 1 - (2 * (p * t).sum(2) + 1) / (p.sum(2) + t.sum(2) + 1)


def _iou(logits: Tensor, target: Tensor) -> Tensor:
    a, b = (logits > 0).flatten(2), (target > 0.5).expand_as(logits).flatten(2)
    return (a & b).sum(2) / (a | b).sum(2).clamp(min=1)
