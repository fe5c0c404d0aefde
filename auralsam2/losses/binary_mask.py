"""Pixel-wise supervision of one mask a frame, for methods that propose no other.

Axes: F supervised frames, H and W sides of the masks.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from auralsam2.losses.mask import dice_loss, upsample
from auralsam2.losses.precision import at_least_float32
from auralsam2.messages import too_small
from auralsam2.registry import MASK_LOSSES
from auralsam2.shapes import check_shape
from auralsam2.structures import Prediction

NATIVE = "native"


def soft_iou_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Soft IoU loss of one mask, not smoothed (SAMA-AVS, Liu et al. 2024).

    An empty truth gives 1, whatever is predicted, and no gradient.

    Args:
        logits: (..., H, W).
        targets: (..., H, W) in {0, 1}, broadcast against ``logits``.

    Returns:
        (...), ``1 - sum(p y) / (sum p + sum y - sum(p y))``.
    """
    probability = logits.sigmoid()
    overlap = (probability * targets).sum(dim=(-2, -1))
    union = probability.sum(dim=(-2, -1)) + targets.sum(dim=(-2, -1)) - overlap
    # Only a mask without truth and without a probability above 0 has no union.
    return 1 - overlap / union.clamp(min=torch.finfo(union.dtype).tiny)


class FrameMaskLoss(nn.Module):
    """A loss of one mask a frame, mean over supervised frames.

    Subclasses give :meth:`terms`.

    Args:
        loss_size: side at which masks are compared, with the truth averaged; None is the side of
            ``masks``, ``"native"`` each clip's own size, to which the logits are interpolated.
        problems: of the subclass's arguments.

    Attributes:
        native: whether ``masks`` may be B tensors (T, H, W), each of its own size.

    Raises:
        ValueError: listing every argument that is out of range.
    """

    def __init__(self, loss_size: int | str | None = None, problems: Sequence[str] = ()) -> None:
        super().__init__()
        self.native = loss_size == NATIVE
        self.loss_size = loss_size if isinstance(loss_size, int) else None
        if not (self.native or loss_size is None or (self.loss_size or 0) >= 1):
            size = f"loss_size must be a side in pixels, '{NATIVE}' or None, got {loss_size=}"
            problems = [*problems, size]
        if problems:
            raise ValueError(f"{type(self).__name__}: " + "; ".join(problems))

    @abstractmethod
    def terms(self, logits: Tensor, truth: Tensor) -> dict[str, Tensor]:
        """Weighted terms of masks (F, H, W) of one size, summed over frames."""

    def forward(
        self, prediction: Prediction, masks: Tensor | Sequence[Tensor], supervised: Tensor
    ) -> dict[str, Tensor]:
        """Compare ``prediction.best`` with the truth.

        Args:
            prediction: ``best`` (B, T, h, h) of any side h, enlarged bilinearly.
            masks: (B, T, S, S) truth in {0, 1}; with ``loss_size="native"`` also B tensors
                (T, H, W).
            supervised: (B, T) bool; the other frames are ignored.

        Returns:
            Weighted scalars, ``loss_mask`` among them; zero with a graph where no frame counts.
        """
        sizes = check_shape(prediction.best, "B T h h", "best")
        if isinstance(masks, Tensor):
            check_shape(masks, "B T S S", "masks", B=sizes["B"], T=sizes["T"])
        check_shape(supervised, "B T", "supervised", B=sizes["B"], T=sizes["T"])
        terms = [self.terms(*pair) for pair in self._pairs(prediction.best, masks, supervised)]
        count = max(1, int(supervised.sum()))
        return {key: sum(t[key] for t in terms) / count for key in terms[0]}

    def _pairs(
        self, best: Tensor, masks: Tensor | Sequence[Tensor], supervised: Tensor
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Logits and truth (F, H, W) of supervised frames: of all, or clip by clip."""
        chosen = supervised.bool()
        if isinstance(masks, Tensor):
            groups = [(best[chosen], masks[chosen])]
        else:
            groups = [(b[c], m[c]) for b, m, c in zip(best, masks, chosen, strict=True)]
        for logits, truth in groups:
            logits = at_least_float32(logits)
            truth = truth.to(logits.dtype)
            if self.loss_size not in (None, truth.shape[-1]):
                side = (self.loss_size, self.loss_size)
                truth = F.interpolate(truth[:, None], size=side, mode="area")[:, 0]
            yield upsample(logits[:, None], (truth.shape[-2], truth.shape[-1]))[:, 0], truth


@MASK_LOSSES.register_module()
class BinaryMaskLoss(FrameMaskLoss):
    """Binary cross-entropy of all pixels, with soft Dice or soft IoU on request.

    Alone it is the loss of AVSBench (Zhou et al. 2022) and of GAVS (Wang et al. 2024), with
    ``iou_weight=1`` that of SAMA-AVS (Liu et al. 2024). Pixels of a frame are averaged, then
    frames. Empty truths are supervised like all others. Predicted IoU and object score are not
    supervised: a network with heads for them needs ``SAM2MaskLoss``.

    Args:
        bce_weight: weight of ``loss_mask``.
        dice_weight: weight of ``loss_dice``.
        loss_size: see :class:`FrameMaskLoss`.
        iou_weight: weight of ``loss_iou``, see :func:`soft_iou_loss`.

    Raises:
        ValueError: listing every argument that is out of range.
    """

    def __init__(
        self,
        bce_weight: float = 1.0,
        dice_weight: float = 0.0,
        loss_size: int | str | None = None,
        iou_weight: float = 0.0,
    ) -> None:
        problems = too_small(
            bce_weight=(bce_weight, 0), dice_weight=(dice_weight, 0), iou_weight=(iou_weight, 0)
        )
        super().__init__(loss_size, problems)
        self.bce_weight, self.dice_weight, self.iou_weight = bce_weight, dice_weight, iou_weight

    def terms(self, logits: Tensor, truth: Tensor) -> dict[str, Tensor]:
        """``loss_mask`` and, with weights, ``loss_dice`` and ``loss_iou``."""
        bce = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
        terms = {"loss_mask": self.bce_weight * bce.mean(dim=(-2, -1)).sum()}
        if self.dice_weight:
            terms["loss_dice"] = self.dice_weight * dice_loss(logits, truth).sum()
        if self.iou_weight:
            terms["loss_iou"] = self.iou_weight * soft_iou_loss(logits, truth).sum()
        return terms
