from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from auralsam2.data.resizing import Resizing


@pytest.mark.parametrize("how", ["bilinear", "bicubic"])
def test_enlarged_frames_are_torchs(how: str) -> None:
    images = np.random.default_rng(0).integers(60, 190, (2, 9, 12, 3), dtype=np.uint8)
    resized = Resizing(40, frames=how).resize_frames(images)
    tensor = torch.from_numpy(images).permute(0, 3, 1, 2).float()
    # Antialias does nothing to what grows, but brings torch's kernel to a = -0.5.
    expected = F.interpolate(tensor, size=(40, 40), mode=how, antialias=True).clamp(0, 255)
    difference = expected.permute(0, 2, 3, 1) - torch.from_numpy(resized).float()
    assert resized.dtype == np.uint8 and difference.abs().max() < 1.5


def test_labels_keep_their_levels_or_grow() -> None:
    label = np.zeros((1, 8, 8), np.uint8)
    label[0, 3:5, 3:5] = 255
    nearest = Resizing(32).resize_labels(label) > 0
    bilinear = Resizing(32, labels="bilinear").resize_labels(label) > 0
    assert nearest.sum() == 8 * 8 and nearest[0, 12:20, 12:20].all()
    # Half a pixel of the picture, 2 of the result.
    assert bilinear.sum() == 12 * 12 and bilinear[0, 10:22, 10:22].all()


def test_settings_are_checked() -> None:
    assert Resizing(8, "bicubic", "bilinear").problems() == []
    problems = Resizing(8, "nearest", "bicubic").problems()
    assert problems == [
        "frame_interpolation='nearest'; known: bilinear, bicubic",
        "mask_interpolation='bicubic'; known: nearest, bilinear",
    ]
