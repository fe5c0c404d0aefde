from __future__ import annotations

import pytest

from analysis.statistics.pareto import pareto_front


@pytest.mark.parametrize(
    ("losses", "front"),
    [
        ([(1, 3), (2, 2), (3, 1), (3, 3)], [True, True, True, False]),
        ([(1, 1), (1, 1), (1, 2)], [True, True, False]),
        ([(1, 1)], [True]),
        ([(2,), (1,), (1,)], [False, True, True]),
    ],
)
def test_points_that_no_other_one_beats(losses: list[tuple], front: list[bool]) -> None:
    assert pareto_front(losses).tolist() == front
