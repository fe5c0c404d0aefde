"""One network for every ear of a log-mel batch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from auralsam2.models.freezing import Freezable
from auralsam2.shapes import check_shape

NUM_EARS = 2


class EarEncoder(Freezable):
    """An audio encoder that sends each ear through the same network and joins its vectors."""

    network: nn.Module  # (L, 1, 96, 64) log-mel examples -> (L, D / 2)
    out_channels: int  # D

    def forward(self, log_mel: Tensor) -> Tensor:
        """(B, T, 2, 96, 64) natural logarithm of (mel + 0.01) -> (B, T, D), ear 0 first."""
        sizes = check_shape(log_mel, f"B T {NUM_EARS} 96 64", name="log-mel")
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            vectors = self.network(log_mel.reshape(-1, 1, 96, 64))  # (B * T * 2, D / 2)
        return vectors.reshape(sizes["B"], sizes["T"], -1)
