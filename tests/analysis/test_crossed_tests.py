from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.power import TTestPower

from analysis.crossed_tests import StandardError, detectable, p_values, standard_error
from analysis.resampling import Settings
from analysis.score_arrays import Sample

QUICK = Settings(num_resamples=999)


def crossed(rows: int, seeds: int, clips: int, spreads, mean: float = 0.0) -> Sample:
    rng = np.random.default_rng(2)
    by_seed, by_clip, rest = spreads
    values = mean + rng.normal(0, by_seed, (rows, seeds, 1))
    values = values + rng.normal(0, by_clip, (rows, 1, clips))
    return Sample(values + rng.normal(0, rest, (rows, seeds, clips)), (clips,))


def size(sample: Sample) -> float:
    return float(np.mean(p_values(sample, QUICK) < 0.05))


@pytest.mark.parametrize(
    ("seeds", "spreads", "most"),
    [
        (5, (0.05, 0.02, 0.02), 0.08),
        (5, (0.02, 0.20, 0.02), 0.08),
        (5, (0.00, 0.00, 0.10), 0.08),
        (3, (0.05, 0.02, 0.02), 0.10),
        (1, (0.00, 0.20, 0.02), 0.08),
    ],
)
def test_a_null_is_rejected_as_seldom_as_stated(seeds: int, spreads, most: float) -> None:
    assert 0.02 <= size(crossed(500, seeds, 40, spreads)) <= most


def test_a_planted_effect_is_found() -> None:
    assert size(crossed(100, 5, 40, (0.01, 0.05, 0.05), mean=0.06)) > 0.95
    assert size(crossed(100, 2, 40, (0.01, 0.05, 0.05), mean=0.06)) > 0.95


def test_mean_squares_are_those_of_a_two_way_analysis() -> None:
    sample = crossed(1, 4, 12, (0.05, 0.2, 0.1))
    seed, clip = np.indices((4, 12))
    data = {"y": sample.values[0].ravel(), "seed": seed.ravel(), "clip": clip.ravel()}
    square = anova_lm(ols("y ~ C(seed) + C(clip)", pd.DataFrame(data)).fit())
    square = square["sum_sq"] / square["df"]
    seeds, clips, rest = (square[key] for key in ("C(seed)", "C(clip)", "Residual"))
    others = max(clips - rest, 0)
    total = seeds + others
    found = standard_error(sample)
    assert found.value[0] == pytest.approx(np.sqrt(total / (4 * 12)))
    assert found.df[0] == pytest.approx(total**2 / (seeds**2 / 3 + others**2 / 11))


def test_seeds_that_change_nothing_leave_the_error_of_the_clips() -> None:
    clips = np.random.default_rng(0).normal(0, 0.1, (1, 1, 20))
    found = standard_error(Sample(np.repeat(clips, 4, axis=1), (20,)))
    assert found.value[0] == pytest.approx(stats.sem(clips[0, 0]))
    assert found.df[0] == pytest.approx(19)


def test_below_three_seeds_it_is_the_error_of_the_clips() -> None:
    sample = crossed(1, 2, 30, (0.5, 0.2, 0.1))
    found = standard_error(sample)
    assert found.value[0] == pytest.approx(stats.sem(sample.values[0].mean(0)))
    assert found.df[0] == 29


def test_few_clips_are_tested_exactly() -> None:
    sample = Sample(np.array([[[0.1, 0.1, 0.1, 0.1, 0.1]]]), (5,))
    assert p_values(sample, QUICK) == pytest.approx([2 / 2**5])


def test_rows_that_equal_the_reference_are_not_different() -> None:
    for seeds in (1, 3):
        assert p_values(Sample(np.zeros((1, seeds, 6)), (6,)), QUICK).tolist() == [1.0]
        assert np.isnan(p_values(Sample(np.zeros((1, seeds, 1)), (1,)), QUICK)).all()
    always = Sample(np.full((1, 3, 6), 0.1), (6,))
    assert p_values(always, QUICK) == pytest.approx([0.0], abs=1e-12)


@pytest.mark.parametrize("df", [5, 30, 739])
def test_detectable_is_what_statsmodels_solves(df: int) -> None:
    solved = TTestPower().solve_power(nobs=df + 1, alpha=0.05, power=0.8) * np.sqrt(df + 1)
    (found,) = detectable(StandardError(np.array([0.01]), np.array([float(df)])), 0.05, 0.8)
    assert found == pytest.approx(0.01 * solved, rel=1e-4)


def test_detectable_differences_are_found_as_often_as_stated() -> None:
    spreads = (0.02, 0.1, 0.05)
    quiet = crossed(300, 5, 40, spreads)
    truth = float(np.median(detectable(standard_error(quiet), 0.05, 0.8)))
    share = np.mean(p_values(crossed(300, 5, 40, spreads, mean=truth), QUICK) < 0.05)
    assert 0.72 <= share <= 0.88


def test_detectable_at_the_edges() -> None:
    error = StandardError(np.array([0.1, np.nan, 0.0, 0.1]), np.array([1.0, 9.0, np.nan, 1e6]))
    found = detectable(error, 0.05 / 99, 0.8)
    assert found[0] > 100 and np.isnan(found[1:3]).all() and 0.3 < found[3] < 0.6
