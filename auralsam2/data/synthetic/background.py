"""Backgrounds of the synthetic clips: a colour gradient, soft noise, clutter, a slow pan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

MARGIN = 0.08
"""Share of the image that the background extends beyond each side, room for the pan."""


@dataclass(frozen=True)
class Background:
    """What lies behind the objects."""

    corners: NDArray[np.float32]  # (2, 2, 3) RGB in [0, 1] at the image's corners
    coarse: NDArray[np.float32]  # (K, K, 3) noise added to it, enlarged smoothly
    fine: NDArray[np.float32]  # likewise
    lines: NDArray[np.float64]  # (L, 8) x0, y0, x1, y1, R, G, B and width as a share of the side
    blobs: NDArray[np.float64]  # (L, 6) x, y, radius, R, G, B offsets of faint spots
    pan: NDArray[np.float64]  # (2,) displacement per second as a share of the side
    sensor_noise: np.float32  # standard deviation of the noise of each pixel and frame


def sample_background(rng: np.random.Generator) -> Background:
    """Draw a background; all colours stay muted, so that objects can be told from it."""
    base = rng.uniform(0.2, 0.75, 3)
    corners = np.clip(base + rng.uniform(-0.22, 0.22, (2, 2, 3)), 0.02, 0.98)
    coarse = rng.normal(0, rng.uniform(0.02, 0.07), (5, 5, 3))
    fine = rng.normal(0, rng.uniform(0.01, 0.05), (20, 20, 1)) * np.ones(3)
    num_lines, num_blobs = int(rng.integers(0, 7)), int(rng.integers(0, 7))
    lines = np.concatenate(
        [
            rng.uniform(-0.1, 1.1, (num_lines, 4)),
            np.clip(base + rng.uniform(-0.3, 0.3, (num_lines, 3)), 0, 1),
            rng.uniform(0.004, 0.02, (num_lines, 1)),
        ],
        axis=1,
    )
    blobs = np.concatenate(
        [
            rng.uniform(0, 1, (num_blobs, 2)),
            rng.uniform(0.02, 0.09, (num_blobs, 1)),
            rng.uniform(-0.16, 0.16, (num_blobs, 3)),
        ],
        axis=1,
    )
    return Background(
        corners=corners.astype(np.float32),
        coarse=coarse.astype(np.float32),
        fine=fine.astype(np.float32),
        lines=lines,
        blobs=blobs,
        pan=rng.uniform(-0.012, 0.012, 2),
        sensor_noise=np.float32(rng.uniform(0.004, 0.02)),
    )


def render_background(
    background: Background, size: int, time: NDArray[np.float64]
) -> Iterator[NDArray[np.float32]]:
    """Draw it for every frame.

    Args:
        background: what to draw.
        size: side in pixels.
        time: (T,) seconds from the moment at which the pan is half done.

    Yields:
        (H, W, 3) float32 RGB, near [0, 1] but not clipped.
    """
    scale = size * (1 + 2 * MARGIN)
    side = int(np.ceil(scale))
    canvas = cv2.resize(background.corners, (side, side), interpolation=cv2.INTER_LINEAR)
    canvas += cv2.resize(background.coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    canvas += cv2.resize(background.fine, (side, side), interpolation=cv2.INTER_LINEAR)
    canvas = np.ascontiguousarray(canvas)
    for x, y, radius, *offset in background.blobs:
        _add_blob(canvas, x * side, y * side, radius * side, np.array(offset, np.float32))
    for x0, y0, x1, y1, red, green, blue, width in background.lines:
        # cv2 takes fixed-point coordinates: 4 fractional bits keep lines smooth at any size.
        start = (round(x0 * side * 16), round(y0 * side * 16))
        stop = (round(x1 * side * 16), round(y1 * side * 16))
        thickness = max(1, round(width * size))
        cv2.line(canvas, start, stop, (red, green, blue), thickness, cv2.LINE_AA, 4)
    for moment in time:
        offset = MARGIN * size + background.pan * size * moment
        offset = np.clip(offset, 0, side - size)
        shift = np.array([[1, 0, -offset[0]], [0, 1, -offset[1]]], np.float64)
        yield cv2.warpAffine(  # type: ignore[misc]
            canvas, shift, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )


def _add_blob(
    canvas: NDArray[np.float32], x: float, y: float, radius: float, offset: NDArray[np.float32]
) -> None:
    """Add a soft round spot to canvas (H, W, 3) in place."""
    side = canvas.shape[0]
    left, right = max(0, int(x - radius)), min(side, int(x + radius) + 1)
    top, bottom = max(0, int(y - radius)), min(side, int(y + radius) + 1)
    columns = ((np.arange(left, right) - x) / radius).astype(np.float32)
    rows = ((np.arange(top, bottom) - y) / radius).astype(np.float32)
    weight = np.clip(1.5 * (1.0 - np.hypot(columns[None, :], rows[:, None])), 0.0, 1.0)
    canvas[top:bottom, left:right] += weight[..., None] * offset
