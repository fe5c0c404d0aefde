"""Masks as run lengths: what a browser turns back into pixels quickly, and JSON carries well."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def run_lengths(mask: NDArray[np.bool_]) -> list[int]:
    """Return the lengths of runs of equal pixels, row by row, beginning with those of False.

    Args:
        mask: (H, W).
    """
    flat = np.concatenate([[False], mask.reshape(-1)])
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    return np.diff(np.concatenate([[0], edges, [mask.size]])).tolist()


def shrink(mask: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Take the nearest pixels of a mask (H, W) for a smaller size."""
    if mask.shape == size:
        return mask
    rows, columns = (
        ((np.arange(short) + 0.5) * long / short).astype(int)
        for short, long in zip(size, mask.shape, strict=True)
    )
    return mask[rows[:, None], columns]
