from __future__ import annotations

import numpy as np
import pytest

from auralsam2.segment.rle import encode, runs


def decode(text: str, height: int, width: int) -> np.ndarray:
    """COCO's API read backwards: signed numbers of 5-bit groups, differences from the third on."""
    counts: list[int] = []
    number = shift = 0
    for letter in text:
        code = ord(letter) - 48
        assert 0 <= code < 64
        number |= (code & 31) << shift
        shift += 5
        if not code & 32:
            if code & 16:
                number -= 1 << shift
            counts.append(number + (counts[-2] if len(counts) > 2 else 0))
            number = shift = 0
    assert not shift and sum(counts) == height * width and min(counts) >= 0
    kinds = np.arange(len(counts)) % 2
    return np.repeat(kinds, counts).astype(bool).reshape(width, height).T


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (77, 131), (480, 854)])
@pytest.mark.parametrize("kind", ["nothing", "all", "noise", "disc", "corners"])
def test_masks_come_back(size: tuple[int, int], kind: str) -> None:
    y, x = np.ogrid[: size[0], : size[1]]
    mask = {
        "nothing": np.zeros(size, bool),
        "all": np.ones(size, bool),
        "noise": np.random.default_rng(0).random(size) < 0.5,
        "disc": (y - size[0] / 2) ** 2 + (x - size[1] / 3) ** 2 < (min(size) / 3) ** 2,
        "corners": ((y == 0) | (y == size[0] - 1)) & ((x == 0) | (x == size[1] - 1)),
    }[kind]
    found = encode(mask)
    assert found["size"] == list(size)
    np.testing.assert_array_equal(decode(found["counts"], *size), mask)


def test_texts_are_those_of_cocos_api() -> None:
    """Written by pycocotools 2.0.11."""
    mask = np.zeros((4, 6), bool)
    mask[1:3, 2:5] = True
    assert encode(mask)["counts"] == "9220003"
    assert encode(np.ones((4, 6), bool))["counts"] == "0h0"
    assert encode(np.zeros((4, 6), bool))["counts"] == "h0"


def test_runs_go_down_the_columns_and_begin_with_the_background() -> None:
    assert runs(np.array([[True, False], [True, True]])).tolist() == [0, 2, 1, 1]
    assert runs(np.array([[False, False], [True, True]])).tolist() == [1, 1, 1, 1]
