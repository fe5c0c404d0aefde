from __future__ import annotations

import pytest
from scipy import stats

from analysis.statistics.spending import SMALLEST, level_of_look, spent


def test_all_is_spent_in_the_end_and_little_before() -> None:
    assert spent(0.05, 1.0) == pytest.approx(0.05)
    assert spent(0.05, 0.5) == pytest.approx(2 * stats.norm.sf(1.959964 / 0.5**0.5), rel=1e-4)
    assert spent(0.05, 0.5) == pytest.approx(0.0056, abs=1e-4), "Lan and DeMets, half way"


@pytest.mark.parametrize("most", [2, 3, 6, 10, 100])
@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_levels_of_all_looks_add_up_to_alpha(most: int, alpha: float) -> None:
    taken: list[float] = []
    for number in range(2, most + 1):
        level = level_of_look(alpha, number, most, sum(taken))
        assert level is None or level >= SMALLEST
        taken += [] if level is None else [level]
    assert sum(taken) == pytest.approx(alpha)
    assert taken == sorted(taken) or most == 100, "later looks have more, but many share the end"


def test_what_a_look_does_not_spend_the_next_one_has() -> None:
    assert level_of_look(0.05, 2, 100, 0.0) is None
    late = level_of_look(0.05, 5, 6, 0.0)
    assert late == pytest.approx(spent(0.05, 5 / 6))
