from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.claims.claim import Bound
from analysis.claims.decide import EndTests, combine, end_tests
from analysis.statistics.crossed_means import Settings, intervals
from analysis.statistics.score_arrays import Sample

SETTINGS = Settings()
WEIGHTS = {("a", ("test", "J")): 1.0}


def sample(*means: float, seeds: int = 1, clips: int = 20, spread: float = 0.1) -> Sample:
    rng = np.random.default_rng(0)
    draws = rng.normal(0, spread, (len(means), seeds, clips))
    draws -= draws.mean((1, 2), keepdims=True)
    return Sample(draws + np.array(means)[:, None, None], (clips,))


def test_of_one_seed_it_is_twice_the_one_sided_t_test() -> None:
    held = sample(0.05, -0.02)
    (test,) = end_tests(Bound("", WEIGHTS, low=0.01), held, SETTINGS)
    for row, (inside, beyond) in enumerate(zip(test.inside, test.beyond)):
        values = held.values[row, 0]
        above = stats.ttest_1samp(values, 0.01, alternative="greater").pvalue
        assert inside == pytest.approx(min(1, 2 * above), rel=1e-6)
        assert beyond == pytest.approx(min(1, 2 * (1 - above)), rel=1e-6)


def test_an_upper_end_is_the_mirror_of_a_lower_one() -> None:
    held = sample(0.05, seeds=3)
    (upper,) = end_tests(Bound("", WEIGHTS, high=0.07), held, SETTINGS)
    mirrored = Sample(-held.values, held.strata)
    (lower,) = end_tests(Bound("", WEIGHTS, low=-0.07), mirrored, SETTINGS)
    np.testing.assert_allclose([*upper], [*lower])


@pytest.mark.parametrize("seeds", [1, 2, 3])
def test_p_is_below_alpha_where_the_interval_lies_beyond_the_end(seeds: int) -> None:
    held = sample(*np.linspace(-0.3, 0.3, 61), seeds=seeds)
    low, high = intervals(held, SETTINGS)
    (test,) = end_tests(Bound("", WEIGHTS, low=0.02), held, SETTINGS)
    np.testing.assert_array_equal(test.inside < SETTINGS.alpha, low > 0.02)
    np.testing.assert_array_equal(test.beyond < SETTINGS.alpha, high < 0.02)
    assert (low > 0.02).any() and (high < 0.02).any()


def test_what_cannot_be_tested_decides_nothing() -> None:
    same = Sample(np.full((1, 3, 10), 0.2), (10,))
    (test,) = end_tests(Bound("", WEIGHTS, low=0.0), same, SETTINGS)
    assert test.inside[0] == test.beyond[0] == 1.0


def test_a_claim_needs_all_its_parts_and_any_may_contradict_it() -> None:
    parts = [
        EndTests(np.array([0.01, 0.2]), np.array([1.0, 0.9])),
        EndTests(np.array([0.03, 1.0]), np.array([0.8, 0.004])),
    ]
    found = combine(parts)
    np.testing.assert_allclose(found.supporting, [0.03, 1.0])
    np.testing.assert_allclose(found.contradicting, [1.0, 0.008])


def test_both_cannot_be() -> None:
    rng = np.random.default_rng(3)
    held = Sample(rng.normal(0, 1, (500, 2, 8)) + rng.normal(0, 1, (500, 1, 1)), (8,))
    for bound in (Bound("", WEIGHTS, low=0.1), Bound("", WEIGHTS, -0.2, 0.2)):
        found = combine(end_tests(bound, held, SETTINGS))
        assert (np.maximum(found.supporting, found.contradicting) == 1).all()
