from __future__ import annotations

import numpy as np

from auralsam2.segment.overlay import COLOURS, TINT, colour_of, draw_masks


def test_masks_are_tinted_and_outlined_and_the_rest_stays() -> None:
    picture = np.full((60, 80, 3), 100, np.uint8)
    mask = np.zeros((60, 80), bool)
    mask[20:40, 30:60] = True
    drawn = draw_masks(picture, {1: mask, 2: np.zeros((60, 80), bool)})
    np.testing.assert_array_equal(picture, 100)
    expected = (1 - TINT) * 100 + TINT * np.array(COLOURS[0])
    np.testing.assert_allclose(drawn[30, 32:58], np.tile(expected, (26, 1)), atol=1)
    np.testing.assert_array_equal(drawn[20, 30], COLOURS[0])
    assert (drawn[30, 29] == 255).all() and (drawn[30, 31] == 255).all()
    np.testing.assert_array_equal(drawn[:, :28], 100)
    np.testing.assert_array_equal(drawn[42:], 100)


def test_objects_have_colours_of_their_own() -> None:
    assert len({colour_of(n) for n in range(1, len(COLOURS) + 1)}) == len(COLOURS)
    assert colour_of(len(COLOURS) + 1) == colour_of(1)


def test_outlines_of_large_pictures_are_wider() -> None:
    def outlined(side: int) -> int:
        mask = np.zeros((side, side), bool)
        mask[side // 4 : side // 2, side // 4 : side // 2] = True
        drawn = draw_masks(np.zeros((side, side, 3), np.uint8), {1: mask})
        return int((drawn[3 * side // 8] == COLOURS[0]).all(axis=1).sum())

    assert outlined(100) == 2 and outlined(1200) >= 8
