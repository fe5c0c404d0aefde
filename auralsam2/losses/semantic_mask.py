"""Pixel-wise supervision of the classes of a frame.

Axes: F supervised frames, K classes with the background first, H and W sides of the labels.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from auralsam2.class_maps import check_classes, labels_at
from auralsam2.losses.mask import upsample
from auralsam2.losses.precision import at_least_float32
from auralsam2.messages import too_small
from auralsam2.registry import MASK_LOSSES
from auralsam2.shapes import check_shape
from auralsam2.structures import UNLABELLED, Prediction


@MASK_LOSSES.register_module()
class SemanticMaskLoss(nn.Module):
    """Cross-entropy of the classes of all pixels, mean over supervised frames (AVSS, Zhou 2023).

    Args:
        weight: of ``loss_mask``.
        loss_size: side at which classes are compared, the truth subsampled (nearest); None is the
            side of the truth.

    Attributes:
        of_classes: the truth that it is given is that of the classes, and not of the masks.

    Raises:
        ValueError: listing every argument that is out of range.
    """

    of_classes = True

    def __init__(self, weight: float = 1.0, loss_size: int | None = None) -> None:
        super().__init__()
        if problems := too_small(weight=(weight, 0), loss_size=(loss_size, 1)):
            raise ValueError("SemanticMaskLoss: " + "; ".join(problems))
        self.weight, self.loss_size = weight, loss_size

    def forward(
        self, prediction: Prediction, masks: Tensor, supervised: Tensor
    ) -> dict[str, Tensor]:
        """Compare ``prediction.class_logits`` with the truth.

        Args:
            prediction: ``class_logits`` (B, T, K, h, w) of any sides.
            masks: (B, T, S, S) numbers of classes; pixels of 255 do not count.
            supervised: (B, T) bool; the other frames are ignored.

        Returns:
            ``loss_mask``, zero with a graph where no frame counts.

        Raises:
            ValueError: where the method has no class head, or one of too few classes.
        """
        if prediction.class_logits is None:
            raise ValueError(
                "SemanticMaskLoss needs class logits, which this model does not give; take "
                "model.mask_loss=dict(type='BinaryMaskLoss') for masks without classes"
            )
        sizes = check_shape(prediction.class_logits, "B T K h w", "class_logits")
        check_shape(masks, "B T S S", "semantic", B=sizes["B"], T=sizes["T"])
        check_shape(supervised, "B T", "supervised", B=sizes["B"], T=sizes["T"])
        frames = supervised.bool()
        semantic = masks[frames]
        check_classes(semantic, sizes["K"])
        truth = labels_at(semantic, self.loss_size or semantic.shape[-1]).long()
        logits = upsample(at_least_float32(prediction.class_logits[frames]), truth.shape[-1])
        total = F.cross_entropy(logits, truth, ignore_index=UNLABELLED, reduction="sum")
        count = (truth != UNLABELLED).sum().clamp(min=1)
        return {"loss_mask": self.weight * total / count}
