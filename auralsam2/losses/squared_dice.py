"""Dice with squared denominators, the one loss of AVSegFormer."""

from __future__ import annotations

import torch
from torch import Tensor

from auralsam2.losses.binary_mask import FrameMaskLoss
from auralsam2.messages import too_small
from auralsam2.registry import MASK_LOSSES

SMOOTHING = 0.002
"""In the denominator; an empty truth and an empty mask have no other."""


def squared_dice_loss(logits: Tensor, targets: Tensor, ignore_empty: bool = False) -> Tensor:
    """Soft Dice loss of one mask with squares in the denominator (Milletari et al. 2016).

    ``1 - 2 sum(p y) / (sum p^2 + sum y^2 + 0.002)``. Where y is empty that is 1 whatever p is,
    without gradient; there the backgrounds are compared, 1 - p with 1 - y, which J does for such
    frames, too.

    Args:
        logits: (..., H, W).
        targets: (..., H, W) in {0, 1}.
        ignore_empty: leave the 1 of empty truths as it is.

    Returns:
        (...).
    """
    targets = targets.to(logits.dtype)
    probability = logits.sigmoid()
    if not ignore_empty:
        empty = ~(targets > 0).any(dim=-1).any(dim=-1)[..., None, None]
        targets = torch.where(empty, 1 - targets, targets)
        probability = torch.where(empty, (-logits).sigmoid(), probability)
    overlap = (probability * targets).sum(dim=(-2, -1))
    total = (probability**2 + targets**2).sum(dim=(-2, -1))
    return 1 - 2 * overlap / (total + SMOOTHING)


@MASK_LOSSES.register_module()
class SquaredDiceLoss(FrameMaskLoss):
    """Dice with squared denominators of the selected mask (AVSegFormer, Gao et al. 2024).

    Mean over supervised frames, at the side of the truth. Predicted IoU and object score are not
    supervised.

    Args:
        weight: of ``loss_mask``.
        ignore_empty: as released, frames whose truth is empty have no gradient: silence is never
            taught. Off, their backgrounds are compared, see :func:`squared_dice_loss`.

    Raises:
        ValueError: where the weight is negative.
    """

    def __init__(self, weight: float = 1.0, ignore_empty: bool = False) -> None:
        super().__init__(problems=too_small(weight=(weight, 0)))
        self.weight, self.ignore_empty = weight, ignore_empty

    def terms(self, logits: Tensor, truth: Tensor) -> dict[str, Tensor]:
        """``loss_mask``."""
        each = squared_dice_loss(logits, truth, self.ignore_empty)
        return {"loss_mask": self.weight * each.sum()}
