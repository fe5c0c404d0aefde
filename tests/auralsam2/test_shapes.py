from __future__ import annotations

import numpy as np
import pytest

from auralsam2.shapes import check_shape


def test_sizes_of_named_axes_come_back() -> None:
    assert check_shape(np.zeros((2, 5, 3, 8, 8)), "B T 3 S S") == {"B": 2, "T": 5, "S": 8}


def test_known_sizes_are_checked_and_kept() -> None:
    assert check_shape(np.zeros((2, 5, 64)), "B T C", C=64) == {"C": 64, "B": 2, "T": 5}
    with pytest.raises(ValueError, match=r"audio must have shape \(B, T, C\) with C = 64, got"):
        check_shape(np.zeros((2, 5, 32)), "B T C", "audio", C=64)


@pytest.mark.parametrize(
    ("size", "shape"),
    [((2, 5), "B T C"), ((2, 4, 8), "B S S"), ((1, 2, 8, 8), "B 3 S S"), ((8,), "... S S")],
)
def test_misfits_name_expected_and_got(size: tuple[int, ...], shape: str) -> None:
    with pytest.raises(ValueError) as caught:
        check_shape(np.zeros(size), shape, "masks")
    assert f"masks must have shape ({', '.join(shape.split())})" in str(caught.value)
    assert f"got {size}" in str(caught.value)


def test_dots_stand_for_any_leading_axes() -> None:
    for lead in ((), (2,), (2, 5)):
        assert check_shape(np.zeros((*lead, 3, 8, 8)), "... 3 S S")["S"] == 8
