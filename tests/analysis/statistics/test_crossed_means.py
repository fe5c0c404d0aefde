from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from analysis.statistics.crossed_means import (
    CLIPS,
    CLIPS_AND_SEEDS,
    Settings,
    Spread,
    critical_values,
    intervals,
    p_values,
    row_means,
    spread,
    varies,
)
from analysis.statistics.score_arrays import Sample

USUAL, ALONE = Settings(), Settings(over=CLIPS)
KINDS = {
    "seeds only": (0.010, 0.0, 0.0),
    "seeds": (0.010, 0.003, 0.003),
    "seeds and clips": (0.008, 0.008, 0.003),
    "clips only": (0.0, 0.010, 0.0),
    "the rest": (0.001, 0.001, 0.010),
}
"""Standard deviations of the mean by seeds, clips and rest."""


def crossed(
    rows: int,
    seeds: int,
    clips: int,
    spreads: tuple[float, float, float],
    mean: float = 0.0,
    strata: tuple[int, ...] = (),
) -> Sample:
    rng = np.random.default_rng(2)
    by_seed, by_clip, rest = spreads
    values = mean + rng.normal(0, by_seed * seeds**0.5, (rows, seeds, 1))
    values = values + rng.normal(0, by_clip * clips**0.5, (rows, 1, clips))
    values = values + rng.normal(0, rest * (seeds * clips) ** 0.5, (rows, seeds, clips))
    return Sample(values, strata or (clips,))


def coverage(sample: Sample, truth: float = 0.0, settings: Settings = USUAL) -> float:
    low, high = intervals(sample, settings)
    return float(np.mean((low <= truth) & (truth <= high)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seeds", [2, 3, 4, 5, 10])
def test_intervals_cover_wherever_the_spread_lies(seeds: int, kind: str) -> None:
    """Of 2,000 intervals that cover 0.95, fewer than 0.935 do so once in a thousand times."""
    assert coverage(crossed(2000, seeds, 20, KINDS[kind], mean=0.1), 0.1) >= 0.935


@pytest.mark.parametrize("kind", ["clips only", "the rest"])
def test_one_seed_covers_other_clips_and_not_training_anew(kind: str) -> None:
    assert 0.935 <= coverage(crossed(2000, 1, 20, KINDS[kind])) <= 0.965
    assert coverage(crossed(2000, 1, 20, KINDS["seeds"])) < 0.7


def test_heavy_tails_are_covered() -> None:
    draws = np.random.default_rng(0).standard_t(3, (2000, 3, 1)) * 0.02
    rest = np.random.default_rng(1).standard_t(3, (2000, 1, 30)) * 0.1
    assert coverage(Sample(draws + rest, (30,))) >= 0.94


def test_strata_of_unlike_size_are_covered() -> None:
    unlike = crossed(2000, 3, 40, (0.004, 0.01, 0.004), strata=(5, 35))
    assert coverage(unlike) >= 0.935


@pytest.mark.parametrize("seeds", [1, 2, 3, 5])
def test_interval_and_test_never_contradict_each_other(seeds: int) -> None:
    sample = crossed(400, seeds, 2 if seeds == 1 else 7, (0.01, 0.01, 0.005), mean=0.02)
    for settings in (USUAL, ALONE, Settings(confidence=0.8), Settings(confidence=0.999)):
        low, high = intervals(sample, settings)
        p = p_values(sample, settings)
        assert 0 < np.mean(p) < 1 and np.mean(p < 0.3) > 0
        np.testing.assert_array_equal((low > 0) | (high < 0), p < 1 - settings.confidence)


def test_two_clips_are_students_test() -> None:
    sample = Sample(np.array([[[0.10, 0.12]]]), (2,))
    found = stats.ttest_1samp([0.10, 0.12], 0)
    assert p_values(sample, USUAL) == pytest.approx([found.pvalue])
    low, high = intervals(sample, USUAL)
    ends = found.confidence_interval(0.95)
    assert (low[0], high[0]) == pytest.approx((ends.low, ends.high))


def test_seeds_alone_are_students_test_of_their_means() -> None:
    means = np.array([0.01, 0.03, 0.02])
    sample = Sample(np.broadcast_to(means[None, :, None], (1, 3, 8)).copy(), (8,))
    assert p_values(sample, USUAL) == pytest.approx([stats.ttest_1samp(means, 0).pvalue])


def test_quantiles_lie_between_those_of_seeds_and_clips_by_their_variances() -> None:
    found = Spread(np.array([1.0, 0.0, 3.0]), np.array([0.0, 2.0, 1.0]), 2.0, np.array([30.0] * 3))
    seeds, clips = stats.t.isf(0.025, 2), stats.t.isf(0.025, 30)
    expected = [seeds, clips, (0.75 * seeds**2 + 0.25 * clips**2) ** 0.5]
    assert critical_values(found, 0.05) == pytest.approx(expected)


def test_small_levels_are_kept_where_clips_vary_less_than_seeds() -> None:
    sample = crossed(20_000, 2, 10, (1.0, 0.1, 0.0))
    for level in (0.05, 0.005):
        found = spread(sample, Settings())
        reached = np.abs(row_means(sample)) / found.standard_error
        assert np.mean(reached > critical_values(found, level)) < 1.2 * level


def test_mean_squares_are_those_of_a_two_way_analysis() -> None:
    sample = crossed(1, 4, 12, (0.02, 0.05, 0.01))
    seed, clip = np.indices((4, 12))
    data = {"y": sample.values[0].ravel(), "seed": seed.ravel(), "clip": clip.ravel()}
    square = anova_lm(ols("y ~ C(seed) + C(clip)", pd.DataFrame(data)).fit())
    square = square["sum_sq"] / square["df"] / (4 * 12)
    seeds, clips, rest = (square[key] for key in ("C(seed)", "C(clip)", "Residual"))
    assert rest < clips
    found = spread(sample, USUAL)
    assert found.by_seeds[0] == pytest.approx(seeds)
    assert found.by_clips[0] == pytest.approx(clips - rest)
    assert found.df[0] == pytest.approx(
        (seeds + clips - rest) ** 2 / (seeds**2 / 3 + (clips - rest) ** 2 / 11)
    )


def test_no_part_is_larger_than_the_whole() -> None:
    """Seeds and clips cancel out: the rest alone says that the mean is not known exactly."""
    sample = Sample(np.array([[[0.3, 0.1], [0.1, 0.3]]]), (2,))
    found = spread(sample, USUAL)
    assert found.by_seeds[0] == pytest.approx(0, abs=1e-15) and found.standard_error[0] > 0.05
    assert 0.01 < p_values(sample, USUAL)[0] < 1


def test_seeds_that_change_nothing_leave_the_error_of_the_clips() -> None:
    clips = np.random.default_rng(0).normal(0, 0.1, (1, 1, 20))
    found = spread(Sample(np.repeat(clips, 4, axis=1), (20,)), USUAL)
    assert found.standard_error[0] == pytest.approx(stats.sem(clips[0, 0]))
    assert found.df[0] == pytest.approx(19)


@pytest.mark.parametrize(("seeds", "settings"), [(1, USUAL), (3, ALONE)])
def test_over_clips_alone_it_is_the_error_of_the_clips(seeds: int, settings: Settings) -> None:
    sample = crossed(1, seeds, 30, (0.05, 0.02, 0.01))
    assert varies(sample, settings) == CLIPS
    found = spread(sample, settings)
    assert found.standard_error[0] == pytest.approx(stats.sem(sample.values[0].mean(0)))
    assert found.df[0] == pytest.approx(29)
    assert varies(crossed(1, 2, 30, KINDS["seeds"]), USUAL) == CLIPS_AND_SEEDS


def test_means_weigh_strata_equally() -> None:
    sample = Sample(np.array([[[0.2, 0.4, 0.6, 1.0]]]), (3, 1))
    assert row_means(sample) == pytest.approx([(0.4 + 1.0) / 2])


def test_rows_do_not_depend_on_their_neighbours() -> None:
    sample = crossed(4, 5, 30, KINDS["seeds and clips"])
    alone = Sample(sample.values[2:3], sample.strata)
    for one, all_rows in zip(intervals(alone, USUAL), intervals(sample, USUAL), strict=True):
        assert one[0] == pytest.approx(all_rows[2], rel=1e-12)
    assert p_values(alone, USUAL)[0] == pytest.approx(p_values(sample, USUAL)[2], rel=1e-9)


@pytest.mark.parametrize("seeds", [1, 2, 3])
@pytest.mark.parametrize("level", [0.0, 0.1, 0.7 - 0.6, -1e4 / 3])
def test_what_does_not_vary_has_no_interval_and_no_test(seeds: int, level: float) -> None:
    values = np.full((1, seeds, 6), level)
    values[:, :, ::2] = np.nextafter(level, 1) if level else 0.0  # rounding is no spread
    found = spread(Sample(values, (6,)), USUAL)
    numbers = [*intervals(Sample(values, (6,)), USUAL), p_values(Sample(values, (6,)), USUAL)]
    numbers += [found.standard_error, found.df]
    assert np.isnan(np.concatenate(numbers)).all()


@pytest.mark.parametrize(
    ("settings", "values"),
    [
        (USUAL, np.tile([1.0, 1.0, 0.0, 0.0, 0.0], (3, 1))),  # strata differ, clips do not
        (ALONE, np.tile([0.1, 0.2, 0.4], (5, 1)).T),  # seeds differ, which do not vary
    ],
)
def test_what_differs_without_clips_that_vary_has_no_test(settings, values) -> None:
    sample = Sample(values[None], (2, 3))
    numbers = [*intervals(sample, settings), p_values(sample, settings)]
    assert np.isnan(np.concatenate(numbers)).all()


@pytest.mark.parametrize("strata", [(1,), (1, 5)])
def test_one_clip_of_a_stratum_leaves_everything_unknown(strata: tuple[int, ...]) -> None:
    sample = crossed(2, 3, sum(strata), KINDS["seeds"], strata=strata)
    numbers = [*intervals(sample, USUAL), p_values(sample, USUAL)]
    assert np.isnan(np.concatenate(numbers)).all()


def test_intervals_of_bounded_means_stay_inside_and_cover_better() -> None:
    rng = np.random.default_rng(0)
    values = rng.beta(2.85, 0.15, (1000, 1, 12))  # J near 1, mean 0.95
    sample = Sample(values, (12,))
    ends = np.zeros(1000), np.ones(1000)
    low, high = intervals(sample, USUAL, low=ends[0], high=ends[1])
    assert (low > 0).all() and (low < row_means(sample)).all() and (high < 1).all()
    plain = intervals(sample, USUAL)
    assert (plain[1] > 1).mean() > 0.5, "that is what this is about"
    within = np.mean((low <= 0.95) & (high >= 0.95))
    assert within > np.mean((plain[0] <= 0.95) & (plain[1] >= 0.95)) + 0.05
    open_end = intervals(sample, USUAL, low=ends[0], high=np.full(1000, np.inf))
    np.testing.assert_array_equal(open_end, plain)


def test_settings_name_every_problem() -> None:
    with pytest.raises(ValueError) as caught:
        Settings(confidence=95, alpha=0, over="seeds")
    for part in ("confidence: got 95", "alpha: got 0", "over: got 'seeds'"):
        assert part in str(caught.value)
