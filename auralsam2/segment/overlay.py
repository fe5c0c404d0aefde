"""Masks drawn over pictures."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

COLOURS = (
    (238, 68, 102), (60, 150, 255), (40, 200, 100), (255, 180, 40), (190, 90, 255), (0, 200, 200),
)  # fmt: skip
"""RGB of the objects, one after the other."""
TINT = 0.45
PIXELS_A_LINE = 240
"""An outline is one pixel wide for so many of the shorter side."""


def colour_of(obj_id: int) -> tuple[int, int, int]:
    """Return the colour of an object in every picture; ids count from 1."""
    return COLOURS[(obj_id - 1) % len(COLOURS)]


def draw_masks(
    picture: NDArray[np.uint8], masks: Mapping[int, NDArray[np.bool_]]
) -> NDArray[np.uint8]:
    """Return a picture (H, W, 3) RGB with the masks (H, W) of objects tinted and outlined."""
    import cv2

    drawn = picture.copy()
    width = max(1, round(min(picture.shape[:2]) / PIXELS_A_LINE))
    for obj_id, mask in masks.items():
        if not mask.any():
            continue
        colour = colour_of(obj_id)
        tinted = (1 - TINT) * drawn[mask] + TINT * np.array(colour)
        drawn[mask] = tinted.astype(np.uint8)
        kinds = cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE
        outlines, _ = cv2.findContours(mask.astype(np.uint8), *kinds)
        # White around it: a tint alone is lost on an object of nearly its colour.
        cv2.drawContours(drawn, outlines, -1, (255, 255, 255), width + 1)
        cv2.drawContours(drawn, outlines, -1, colour, width)
    return drawn
