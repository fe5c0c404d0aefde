"""Masks as COCO's run-length encoding (Lin et al. 2014; the format of its API)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

BITS, MORE, FIRST = 5, 0x20, 48
"""A number goes out in groups of 5 bits, the low ones first; a sixth bit says that more follow,
and 48 makes a letter of both."""


def encode(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """Return ``{"size": [H, W], "counts": text}`` of a mask (H, W), equal to pycocotools' own."""
    counts = runs(mask)
    # From the third on, a run is told as its difference from the run before the last, which is of
    # the same kind and mostly of nearly the same length.
    steps = counts.copy()
    steps[3:] -= counts[1:-2]
    return {"size": list(mask.shape), "counts": "".join(map(_letters, steps.tolist()))}


def runs(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return lengths of equal pixels going down the columns; the first is of the background."""
    pixels = np.asarray(mask, dtype=bool).ravel(order="F")
    changes = np.flatnonzero(pixels[1:] != pixels[:-1]) + 1
    starts = [0, 0] if pixels[:1].any() else [0]
    return np.diff(np.concatenate([starts, changes, [pixels.size]])).astype(np.int64)


def _letters(number: int) -> str:
    text = ""
    while True:
        group, number = number & 0x1F, number >> BITS
        # What is left is nothing but the sign of the last group.
        done = number == (-1 if group & 0x10 else 0)
        text += chr(FIRST + (group if done else group | MORE))
        if done:
            return text
