"""One network for every ear of a log-mel batch."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from auralsam2.shapes import check_shape

NUM_EARS = 2


def encode_ears(network: Callable[[Tensor], Tensor], log_mel: Tensor) -> Tensor:
    """Send each ear through the same network and join its vectors, ear 0 first.

    Args:
        network: (L, 1, 96, 64) examples -> (L, d).
        log_mel: (B, T, 2, 96, 64).

    Returns:
        (B, T, 2 d).
    """
    sizes = check_shape(log_mel, f"B T {NUM_EARS} 96 64", name="log-mel")
    vectors = network(log_mel.reshape(-1, 1, 96, 64))  # (B * T * 2, d)
    return vectors.reshape(sizes["B"], sizes["T"], -1)
