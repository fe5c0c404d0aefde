"""One network for every ear of a log-mel batch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from auralsam2.messages import unknown_values
from auralsam2.models.freezing import Freezable
from auralsam2.shapes import check_shape
from auralsam2.structures import NUM_EARS


class EarEncoder(Freezable):
    """An audio encoder that sends each ear through the same network and joins its vectors.

    Args:
        channels: ``both`` or ``mean``: data sets give two ears, or one that hears the mean of the
            recording's channels.

    Raises:
        ValueError: on unknown channels.
    """

    network: nn.Module  # (L, 1, 96, 64) log-mel examples -> (L, C)
    out_channels: int  # D = A * C

    def __init__(self, channels: str = "both") -> None:
        if wrong := unknown_values(channels=(channels, NUM_EARS)):
            raise ValueError(f"{type(self).__name__}: {wrong[0]}")
        super().__init__()
        self.channels, self.num_ears = channels, NUM_EARS[channels]

    def forward(self, log_mel: Tensor) -> Tensor:
        """(B, T, A, 96, 64) natural logarithm of (mel + 0.01) -> (B, T, D), ear 0 first.

        Raises:
            ValueError: where ears are more or fewer than asked for.
        """
        sizes = check_shape(log_mel, f"B T {self.num_ears} 96 64", name="log-mel")
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            vectors = self.network(log_mel.reshape(-1, 1, 96, 64))  # (B * T * A, C)
        return vectors.reshape(sizes["B"], sizes["T"], -1)
