"""Run lengths are those of the pixels, and masks shrink by their nearest pixels."""

from __future__ import annotations

import numpy as np
import pytest

from auralsam2.demo.runs import run_lengths, shrink


@pytest.mark.parametrize(
    ("rows", "lengths"),
    [
        (["..", ".."], [4]),
        (["##", "##"], [0, 4]),
        (["#.", ".#"], [0, 1, 2, 1]),
        (["..", "#."], [2, 1, 1]),
    ],
)
def test_runs_go_row_by_row_and_begin_outside(rows: list[str], lengths: list[int]) -> None:
    assert run_lengths(np.array([list(row) for row in rows]) == "#") == lengths


def test_runs_give_the_mask_back() -> None:
    mask = np.random.default_rng(0).random((17, 23)) < 0.4
    lengths = run_lengths(mask)
    again = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)
    assert np.array_equal(again.reshape(mask.shape), mask)


def test_a_mask_shrinks_to_a_size() -> None:
    mask = np.zeros((4, 6), bool)
    mask[:2, 3:] = True
    assert np.array_equal(shrink(mask, (2, 2)), [[False, True], [False, False]])
    assert shrink(mask, (4, 6)) is mask
