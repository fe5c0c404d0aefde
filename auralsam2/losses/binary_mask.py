"""Pixel-wise supervision of one mask a frame, for networks that propose no other.

Axes: F supervised frames, H and W sides of the masks.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from auralsam2.losses.mask import dice_loss, upsample
from auralsam2.losses.precision import at_least_float32
from auralsam2.registry import MASK_LOSSES
from auralsam2.shapes import check_shape
from auralsam2.structures import Prediction


@MASK_LOSSES.register_module()
class BinaryMaskLoss(nn.Module):
    """Binary cross-entropy of all pixels (AVSBench, Zhou et al. 2022), and soft Dice on request.

    Empty truths are supervised like all others. Predicted IoU and object score are not
    supervised: a network with heads for them needs ``SAM2MaskLoss``.

    Args:
        bce_weight: weight of ``loss_mask``.
        dice_weight: weight of ``loss_dice``; 0 in AVSBench.
        loss_size: side at which masks are compared, with the truth averaged; None is the side of
            ``masks``.

    Raises:
        ValueError: listing every argument that is out of range.
    """

    def __init__(
        self, bce_weight: float = 1.0, dice_weight: float = 0.0, loss_size: int | None = None
    ) -> None:
        super().__init__()
        problems = [
            f"{name} must be at least 0, got {value}"
            for name, value in (("bce_weight", bce_weight), ("dice_weight", dice_weight))
            if value < 0
        ]
        if loss_size is not None and loss_size < 1:
            problems.append(f"loss_size must be a side in pixels or None, got {loss_size=}")
        if problems:
            raise ValueError("BinaryMaskLoss: " + "; ".join(problems))
        self.bce_weight, self.dice_weight, self.loss_size = bce_weight, dice_weight, loss_size

    def forward(
        self, prediction: Prediction, masks: Tensor, supervised: Tensor
    ) -> dict[str, Tensor]:
        """Compare ``prediction.best`` with the truth.

        Args:
            prediction: ``best`` (B, T, h, h) of any side h.
            masks: (B, T, S, S) truth in {0, 1}.
            supervised: (B, T) bool; the other frames are ignored.

        Returns:
            Weighted scalars ``loss_mask`` and, with a weight, ``loss_dice``; zero with a graph
            where no frame counts.
        """
        sizes = check_shape(prediction.best, "B T h h", "best")
        check_shape(masks, "B T S S", "masks", B=sizes["B"], T=sizes["T"])
        check_shape(supervised, "B T", "supervised", B=sizes["B"], T=sizes["T"])
        frames = supervised.bool()
        side = self.loss_size or masks.shape[-1]
        truth = masks[frames].to(at_least_float32(prediction.best).dtype)
        if side != masks.shape[-1]:
            truth = F.interpolate(truth[:, None], size=(side, side), mode="area")[:, 0]
        logits = upsample(at_least_float32(prediction.best[frames])[:, None], side)[:, 0]
        count = max(1, len(truth))
        bce = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
        losses = {"loss_mask": self.bce_weight * bce.mean(dim=(-2, -1)).sum() / count}
        if self.dice_weight:
            losses["loss_dice"] = self.dice_weight * dice_loss(logits, truth).sum() / count
        return losses
