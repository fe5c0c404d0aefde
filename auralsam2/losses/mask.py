"""SAM2's supervision of masks, predicted IoU and object score.

Axes: F supervised frames, K masks the decoder proposes (3), H and W sides of the masks.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from auralsam2.losses.precision import at_least_float32
from auralsam2.messages import too_small, unknown_values
from auralsam2.registry import MASK_LOSSES
from auralsam2.shapes import check_shape
from auralsam2.structures import Prediction

REDUCTIONS = ("mean", "sum_over_frames")


def sigmoid_focal_loss(
    logits: Tensor, targets: Tensor, alpha: float = 0.25, gamma: float = 2.0
) -> Tensor:
    """Focal loss of one mask, averaged over its pixels (Lin et al. 2017, equation 5).

    Args:
        logits: (..., H, W).
        targets: (..., H, W) in {0, 1}, broadcast against ``logits``.
        alpha: weight of the object's pixels, ``1 - alpha`` that of the others.
        gamma: exponent of ``1 - p_t``; 0 gives weighted cross-entropy.

    Returns:
        (...), one value a mask.
    """
    targets = targets.to(logits.dtype)
    # Logit of the wrong answer: its sigmoid is 1 - p_t, its softplus the cross-entropy.
    wrong = logits * (1 - 2 * targets)
    weight = 1 - alpha + (2 * alpha - 1) * targets
    return (weight * wrong.sigmoid() ** gamma * F.softplus(wrong)).mean(dim=(-2, -1))


def dice_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Soft Dice loss of one mask, smoothed by one pixel in numerator and denominator.

    Args:
        logits: (..., H, W).
        targets: (..., H, W) in {0, 1}, broadcast against ``logits``.

    Returns:
        (...), ``1 - (2 sum(p y) + 1) / (sum p + sum y + 1)``.
    """
    targets = targets.to(logits.dtype)
    probability = logits.sigmoid()
    overlap = (probability * targets).sum(dim=(-2, -1))
    total = probability.sum(dim=(-2, -1)) + targets.sum(dim=(-2, -1))
    return 1 - (2 * overlap + 1) / (total + 1)


def mask_iou(logits: Tensor, targets: Tensor) -> Tensor:
    """IoU of ``logits > 0`` with the truth; the union counts at least one pixel.

    Args:
        logits: (..., H, W).
        targets: (..., H, W) in {0, 1}, broadcast against ``logits``.

    Returns:
        (...) in [0, 1], without gradient.
    """
    predicted, truth = logits > 0, targets > 0
    intersection = (predicted & truth).sum(dim=(-2, -1))
    union = (predicted | truth).sum(dim=(-2, -1))
    return intersection.to(logits.dtype) / union.clamp(min=1).to(logits.dtype)


def iou_regression_loss(predicted: Tensor, actual: Tensor) -> Tensor:
    """L1 distance of predicted IoU to the IoU that the mask reaches.

    Args:
        predicted: (..., K) in [0, 1].
        actual: (..., K), treated as a constant.

    Returns:
        (...), mean over the K masks.
    """
    return (predicted - actual.detach()).abs().mean(dim=-1)


def object_score_loss(logits: Tensor, present: Tensor) -> Tensor:
    """Binary cross-entropy of the object score (the focal loss with gamma 0 and no alpha).

    Args:
        logits: (...), above 0 where an object is seen.
        present: (...) bool, whether the truth is not empty.

    Returns:
        (...), one value a frame.
    """
    return F.binary_cross_entropy_with_logits(logits, present.to(logits.dtype), reduction="none")


def upsample(logits: Tensor, size: int | tuple[int, int]) -> Tensor:
    """Resize (F, K, h, w) bilinearly to (F, K, H, W), of which one number is both sides."""
    size = (size, size) if isinstance(size, int) else size
    if logits.shape[-2:] == size:
        return logits
    return F.interpolate(logits, size=size, mode="bilinear", align_corners=False)


@MASK_LOSSES.register_module()
class SAM2MaskLoss(nn.Module):
    """SAM2's loss with the weights of AuralSAM2: focal 20, Dice 1, IoU 1, object score 1.

    Of the three masks of a frame the one with the lowest ``focal_weight * focal + dice_weight *
    dice`` is supervised. Frames with an empty truth contribute the object-score term only, yet
    count in the mean.

    Args:
        focal_weight: weight of ``loss_mask``.
        dice_weight: weight of ``loss_dice``.
        iou_weight: weight of ``loss_iou``.
        object_weight: weight of ``loss_class``.
        focal_alpha: weight of the object's pixels in the focal loss.
        focal_gamma: exponent of the focal loss.
        supervise_all_iou: regress the IoU of all three masks, not of the supervised one alone.
        reduction: ``"mean"`` divides by the number of supervised frames of the batch, as
            published. ``"sum_over_frames"`` is the released code's: each clip's frames are
            summed, clips averaged, so that longer clips weigh more (the release divides by
            ``max(1, objects over processes / 4)``, the number of objects in practice).
        loss_size: side at which masks are compared, with the truth subsampled (nearest); None is
            the side of ``masks``. Smaller is faster; a frame whose object vanishes at that side
            then counts for the object score only.

    Raises:
        ValueError: if an argument is out of range.
    """

    def __init__(
        self,
        focal_weight: float = 20.0,
        dice_weight: float = 1.0,
        iou_weight: float = 1.0,
        object_weight: float = 1.0,
        focal_alpha: float = 0.25,
        focal_gamma: float = 2.0,
        supervise_all_iou: bool = True,
        reduction: str = "mean",
        loss_size: int | None = None,
    ) -> None:
        super().__init__()
        problems = unknown_values(reduction=(reduction, REDUCTIONS))
        problems += too_small(loss_size=(loss_size, 1))
        if problems:
            raise ValueError("\n".join(problems))
        self.focal_weight = focal_weight
        self.dice_weight = dice_weight
        self.iou_weight = iou_weight
        self.object_weight = object_weight
        self.focal_alpha = focal_alpha
        self.focal_gamma = focal_gamma
        self.supervise_all_iou = supervise_all_iou
        self.reduction = reduction
        self.loss_size = loss_size

    def forward(
        self, prediction: Prediction, masks: Tensor, supervised: Tensor
    ) -> dict[str, Tensor]:
        """Compare predicted masks with the truth.

        Args:
            prediction: ``mask_logits`` (B, T, 3, h, h) of any side h, ``ious`` (B, T, 3) and
                ``object_score_logits`` (B, T, 1).
            masks: (B, T, S, S) truth in {0, 1}.
            supervised: (B, T) bool; the other frames are ignored.

        Returns:
            Weighted scalars ``loss_mask``, ``loss_dice``, ``loss_iou`` and ``loss_class``; zero
            with a graph where no frame counts.
        """
        sizes = check_shape(prediction.mask_logits, "B T K h w", "mask_logits")
        check_shape(masks, "B T S S", "masks", B=sizes["B"], T=sizes["T"])
        check_shape(supervised, "B T", "supervised", B=sizes["B"], T=sizes["T"])
        supervised = supervised.bool()
        present = masks.flatten(2).amax(dim=-1) > 0
        scores = at_least_float32(prediction.object_score_logits.squeeze(-1))
        loss_class = object_score_loss(scores[supervised], present[supervised])

        focal, dice, iou = self._mask_terms(prediction, masks, supervised & present)
        count = supervised.sum().clamp(min=1) if self.reduction == "mean" else len(masks)
        return {
            "loss_mask": self.focal_weight * focal.sum() / count,
            "loss_dice": self.dice_weight * dice.sum() / count,
            "loss_iou": self.iou_weight * iou.sum() / count,
            "loss_class": self.object_weight * loss_class.sum() / count,
        }

    def _mask_terms(
        self, prediction: Prediction, masks: Tensor, frames: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return focal, Dice and IoU terms, (F,) each, of the frames chosen by (B, T) bool."""
        size = masks.shape[-1] if self.loss_size is None else self.loss_size
        truth = masks[frames].unsqueeze(1)
        if size != masks.shape[-1]:
            truth = F.interpolate(truth.float(), size=(size, size), mode="nearest-exact")
        logits = at_least_float32(prediction.mask_logits[frames])
        ious = at_least_float32(prediction.ious[frames])
        if size != masks.shape[-1]:
            visible = truth.flatten(1).any(dim=-1)
            truth, logits, ious = truth[visible], logits[visible], ious[visible]

        best, actual = self._select(logits, truth, size)
        row = torch.arange(len(best), device=best.device)
        # Resizing works channel by channel, so only the supervised mask needs a graph at full size.
        supervised = upsample(logits[row, best].unsqueeze(1), size)
        focal = sigmoid_focal_loss(supervised, truth, self.focal_alpha, self.focal_gamma)
        dice = dice_loss(supervised, truth)
        if not self.supervise_all_iou:
            ious, actual = ious[row, best].unsqueeze(1), actual[row, best].unsqueeze(1)
        return focal.squeeze(1), dice.squeeze(1), iou_regression_loss(ious, actual)

    @torch.no_grad()
    def _select(self, logits: Tensor, truth: Tensor, size: int) -> tuple[Tensor, Tensor]:
        """Return the index (F,) of each frame's supervised mask and the IoU (F, K) of all."""
        resized = upsample(logits, size)
        focal = sigmoid_focal_loss(resized, truth, self.focal_alpha, self.focal_gamma)
        dice = dice_loss(resized, truth)
        best = (self.focal_weight * focal + self.dice_weight * dice).argmin(dim=-1)
        return best, mask_iou(resized, truth)
