from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from analysis.report.pictures import (
    LONGEST_SIDE,
    figure_uri,
    frame_uri,
    outline,
    spectrogram_uri,
)


def polygons(path: str) -> list[np.ndarray]:
    return [
        np.array([[float(x) for x in point.split()] for point in line.rstrip("Z").split("L")])
        for line in path.split("M")[1:]
    ]


def area(points: np.ndarray) -> float:
    x, y = points.T
    return abs(float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))) / 2


def test_the_outline_of_a_rectangle_has_its_place_and_corners_cut_by_half_a_pixel() -> None:
    mask = np.zeros((10, 20))
    mask[2:6, 3:9] = 1
    (points,) = polygons(outline(mask))
    assert points.min(0) == pytest.approx([3, 2]) and points.max(0) == pytest.approx([9, 6])
    assert area(points) == pytest.approx(4 * 6 - 4 * 0.125)
    assert len(points) == 8, "points on straight lines are left out"


def test_outlines_are_closed_at_the_border_and_holes_have_their_own() -> None:
    mask = np.ones((5, 6))
    mask[2, 2] = 0
    outer, hole = sorted(polygons(outline(mask)), key=area, reverse=True)
    assert outer.min(0) == pytest.approx([0, 0]) and outer.max(0) == pytest.approx([6, 5])
    assert hole.mean(0) == pytest.approx([2.5, 2.5]) and area(hole) == pytest.approx(0.5)


def test_an_empty_mask_has_no_outline() -> None:
    assert outline(np.zeros((4, 4))) == ""


def decode(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(re.sub("^.*,", "", uri))))


def test_large_frames_are_made_small_and_keep_their_proportions() -> None:
    frame = np.zeros((500, 1000, 3), np.uint8)
    frame[..., 0] = 200
    image = decode(frame_uri(frame))
    assert image.format == "JPEG" and image.size == (LONGEST_SIDE, LONGEST_SIDE // 2)
    assert np.asarray(image).mean((0, 1)) == pytest.approx([200, 0, 0], abs=4)
    assert decode(frame_uri(frame[:8, :8])).size == (8, 8)


def test_a_spectrogram_has_time_to_the_right_and_high_bands_above() -> None:
    log_mel = np.zeros((2, 96, 64))
    log_mel[1, :, 60:] = 1  # a high sound in the second half
    image = np.asarray(decode(spectrogram_uri(log_mel)).convert("L"))
    assert image.shape == (64, 192)
    assert image[:3, 100:].mean() > 200 > 50 > image[5:, :].mean()
    assert np.asarray(decode(spectrogram_uri(np.zeros((1, 96, 64)))).convert("L")).max() < 20


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG")
    return file.getvalue()


def test_figures_with_photographs_are_made_smaller_and_stay_what_they_are() -> None:
    line = png(np.zeros((40, 40, 3), np.uint8))
    assert figure_uri(line) == f"data:image/png;base64,{base64.b64encode(line).decode()}"
    across = np.linspace(0, 200, 700)[None, :, None] * np.ones((500, 1, 3))
    photograph = across + np.random.default_rng(0).normal(0, 12, (500, 700, 3))
    shown = np.clip(photograph, 0, 255).astype(np.uint8)
    content = png(shown)
    media, _, text = figure_uri(content).partition(";base64,")
    made = base64.b64decode(text)
    assert media == "data:image/webp" and len(made) < len(content) / 3
    again = np.asarray(Image.open(io.BytesIO(made)), dtype=float)
    assert again.shape == shown.shape
    assert abs(again[:, 350].mean() - shown[:, 350].mean()) < 3
