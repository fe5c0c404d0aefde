"""In-mask gain of attention maps, for scalars while training."""

from __future__ import annotations

import torch
from torch import Tensor


def in_mask_gain(attention: Tensor, coverage: Tensor) -> Tensor:
    """(m - r) / (1 - r) of `analysis.dilution.attention.in_mask_gain`, on tensors.

    Args:
        attention: (B, ..., N), sums to one over N.
        coverage: (B, N) share of each key position that the true mask covers.

    Returns:
        (B, ...), NaN where a mask is empty or fills the frame.
    """
    cover = coverage.reshape(len(coverage), *(1,) * (attention.dim() - 2), -1).to(attention)
    share = cover.mean(dim=-1)
    gain = ((attention * cover).sum(dim=-1) - share) / (1 - share)
    defined = (share > 0) & (share < 1)
    return torch.where(defined, gain, torch.full_like(gain, float("nan")))
