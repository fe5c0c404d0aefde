"""AVSBench's second loss: what is masked should be like what is heard.

Axes: F frames, N positions of a stage, C channels.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def matching_loss(
    stages: Sequence[Tensor], audio: Sequence[Tensor], mask_logits: Tensor, supervised: Tensor
) -> Tensor:
    """Audio-visual mapping (AVM, Zhou et al. 2022, equation 4), for several sources.

    Sum over stages of KL(avg(M Z), A): the fused map under the predicted mask, averaged over its
    positions, against the audio vector; both as distributions over the channels.

    Args:
        stages: fused maps Z, (F, C, h, h) of each stage.
        audio: A, (F, C) of each stage.
        mask_logits: (F, H, H), reduced to every stage's side by averages.
        supervised: (F,) bool; the others do not count.

    Returns:
        A scalar, the mean over frames; zero with a graph where none counts.
    """
    probability = mask_logits.sigmoid()[:, None]
    total = mask_logits.new_zeros(len(mask_logits))
    for stage, heard in zip(stages, audio, strict=True):
        mask = F.adaptive_avg_pool2d(probability, stage.shape[-2:])
        seen = (mask * stage).mean(dim=(-2, -1)).log_softmax(dim=-1)
        target = heard.log_softmax(dim=-1)
        total = total + F.kl_div(seen, target, reduction="none", log_target=True).sum(-1)
    return torch.where(supervised, total, 0.0).sum() / supervised.sum().clamp(min=1)
