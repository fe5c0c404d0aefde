from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from auralsam2.data.corruptions.picture import Blur, Darkness, JPEGCompression, Occlusion

RNG = np.random.default_rng


def test_blur_is_as_wide_on_any_size() -> None:
    for side in (100, 200):
        point = np.zeros((side, side, 3), np.uint8)
        point[side // 2 :] = 200
        (blurred,) = Blur()([point], 2.0, RNG(0))
        pixel = side // 50  # one standard deviation outside of the edge, less half a pixel
        share = norm.cdf(-(pixel - 0.5) / (0.02 * side))
        assert blurred[side // 2 - pixel, 5, 0] == pytest.approx(200 * share, abs=2)


def test_darkness_halves_and_rounds() -> None:
    (dark,) = Darkness()([np.full((2, 2, 3), 201, np.uint8)], 2.0, RNG(0))
    assert (dark == 50).all() and dark.dtype == np.uint8


def test_jpeg_keeps_the_order_of_channels() -> None:
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 200
    (coded,) = JPEGCompression()([red], 50, RNG(0))
    assert abs(int(coded[8, 8, 0]) - 200) < 8 and coded[8, 8, 2] < 8


def test_a_larger_rectangle_holds_a_smaller_one_in_the_same_place_of_all_frames() -> None:
    frames = list(np.zeros((2, 50, 100, 3), np.uint8))
    before = np.zeros((50, 100), bool)
    for share in (0.04, 0.16, 0.36):
        first, second = Occlusion()(frames, share, RNG(5))
        hidden = first[..., 0] == 128
        assert np.array_equal(first, second) and hidden[before].all()
        assert abs(hidden.mean() - share) < 0.01
        before = hidden
