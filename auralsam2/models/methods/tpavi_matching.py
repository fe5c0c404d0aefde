"""AVSBench's second loss: what is seen under the mask is like what is heard.

Axes: F frames, C channels, h side of a stage's map, H side of the mask logits.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

REDUCTIONS = ("mean", "sum_over_frames")


def matching_loss(
    stages: Sequence[Tensor],
    audio: Sequence[Tensor],
    masks: Sequence[Tensor],
    supervised: Tensor,
    reduction: str = "mean",
) -> Tensor:
    """Audio-visual mapping (AVM, Zhou et al. 2022, section 3.3), for several sources.

    Mean over stages of KL(A || avg(M Z)): the audio vector against the fused map under the
    predicted mask, averaged over its positions; both as distributions over the channels.

    Args:
        stages: fused maps Z, (F, C, h, h) of each stage.
        audio: A, (F, C) of each stage.
        masks: M, (F, 1, h, h) of each stage, see :func:`soft_masks` and :func:`hard_masks`.
        supervised: (F,) bool; the others do not count.
        reduction: ``mean`` over frames, or ``sum_over_frames`` as released for several sources,
            where the weight of a frame grows with the batch.

    Returns:
        A scalar; zero with a graph where no frame counts.
    """
    total = audio[0].new_zeros(len(audio[0]))
    for stage, heard, mask in zip(stages, audio, masks, strict=True):
        seen = (mask * stage).mean(dim=(-2, -1)).log_softmax(dim=-1)
        target = heard.log_softmax(dim=-1)
        total = total + F.kl_div(seen, target, reduction="none", log_target=True).sum(-1)
    summed = torch.where(supervised, total, 0.0).sum() / len(stages)
    return summed / supervised.sum().clamp(min=1) if reduction == "mean" else summed


def soft_masks(logits: Tensor, stages: Sequence[Tensor]) -> list[Tensor]:
    """Masks of one object, (F, 1, H, H) logits: these are averaged to a stage's side first."""
    return [F.adaptive_avg_pool2d(logits, stage.shape[-2:]).sigmoid() for stage in stages]


def hard_masks(class_logits: Tensor, stages: Sequence[Tensor]) -> list[Tensor]:
    """Where some class but the background is the likeliest, (F, K, H, H), averaged; no gradient."""
    foreground = (class_logits.argmax(dim=1, keepdim=True) != 0).to(stages[0].dtype)
    return [F.adaptive_avg_pool2d(foreground, stage.shape[-2:]) for stage in stages]
