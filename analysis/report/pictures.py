"""Pictures inside a page: frames, spectrograms and outlines of masks, no file beside it."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

LONGEST_SIDE = 320
_LARGE_PNG = 400_000

Array = NDArray[Any]


def data_uri(content: bytes, media_type: str) -> str:
    """Return a file's content as an address."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"


def frame_uri(frame: Array) -> str:
    """Return one frame (h, w, 3) uint8 as a JPEG, at most `LONGEST_SIDE` pixels long."""
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(frame))
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    file = io.BytesIO()
    image.save(file, format="JPEG", quality=88)
    return data_uri(file.getvalue(), "image/jpeg")


def figure_uri(png: bytes) -> str:
    """Return a figure's address; large ones, which hold photographs, as WebP of a tenth."""
    if len(png) <= _LARGE_PNG:
        return data_uri(png, "image/png")
    from PIL import Image

    file = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").save(file, format="WEBP", quality=88)
    return data_uri(file.getvalue(), "image/webp")


def spectrogram_uri(log_mel: Array) -> str:
    """Return the sound of all seconds (T, 96, 64) side by side as a PNG, low bands below."""
    from matplotlib import colormaps
    from PIL import Image

    bands = log_mel.reshape(-1, log_mel.shape[-1]).T[::-1]
    low, high = float(bands.min()), float(bands.max())
    shares = (bands - low) / (high - low) if high > low else np.zeros_like(bands)
    image = Image.fromarray(colormaps["magma"](shares, bytes=True)[..., :3])
    file = io.BytesIO()
    image.quantize(64).save(file, format="PNG", optimize=True)
    return data_uri(file.getvalue(), "image/png")


def outline(mask: Array) -> str:
    """Return the outlines of a mask (H, W) as the path of an SVG whose unit is one pixel.

    Pixel (y, x) covers x to x + 1 and y to y + 1. Empty where nothing is inside.
    """
    from contourpy import contour_generator

    inside = np.pad(np.asarray(mask) > 0, 1).astype(float)  # closes outlines at the border
    if not inside.any():
        return ""
    lines = contour_generator(z=inside).lines(0.5)
    # Padded by one, and a pixel's value lies at its centre.
    return "".join(_path(np.asarray(line) - 0.5) for line in lines)


def _path(line: Array) -> str:
    """Return one closed line, points on the straight between their neighbours left out."""
    points = line[:-1]
    before, after = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
    bends = np.abs(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]) > 1e-9
    kept = points[bends]
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in kept) + "Z"
