from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.resampling import Settings, bca_interval, row_means, seeds_vary
from analysis.score_arrays import Sample

QUICK = Settings(num_resamples=999)


def crossed(
    rows: int, seeds: int, strata: tuple[int, ...], spreads: tuple[float, float, float], mean=0.0
) -> Sample:
    """Draw rows of the crossed model; spreads of seeds, clips and rest."""
    rng = np.random.default_rng(1)
    clips = sum(strata)
    by_seed, by_clip, rest = spreads
    values = (
        mean + rng.normal(0, by_seed, (rows, seeds, 1)) + rng.normal(0, by_clip, (rows, 1, clips))
    )
    return Sample(values + rng.normal(0, rest, (rows, seeds, clips)), strata)


def coverage(sample: Sample, truth: float) -> float:
    low, high = bca_interval(sample, QUICK)
    return float(np.mean((low <= truth) & (truth <= high)))


def test_means_weigh_strata_equally() -> None:
    sample = Sample(np.array([[[0.2, 0.4, 0.6, 1.0]]]), (3, 1))
    assert row_means(sample) == pytest.approx([(0.4 + 1.0) / 2])


def test_clips_alone_equal_scipy_on_the_seed_means() -> None:
    sample = crossed(3, 2, (40,), (0.01, 0.1, 0.05), mean=0.3)
    low, high = bca_interval(sample, QUICK)
    for row, values in enumerate(sample.values.mean(1)):
        direct = stats.bootstrap(
            (values,), np.mean, n_resamples=999, method="BCa", rng=np.random.default_rng(0)
        ).confidence_interval
        assert (low[row], high[row]) == pytest.approx((direct.low, direct.high), abs=0.004)


def test_rows_do_not_depend_on_their_neighbours() -> None:
    sample = crossed(4, 5, (30,), (0.02, 0.1, 0.05))
    low, high = bca_interval(sample, QUICK)
    alone = bca_interval(Sample(sample.values[2:3], sample.strata), QUICK)
    assert (low[2], high[2]) == pytest.approx((alone[0][0], alone[1][0]))


@pytest.mark.parametrize(
    ("seeds", "strata", "spreads", "least"),
    [
        (5, (40,), (0.05, 0.02, 0.02), 0.90),  # seeds vary most
        (5, (40,), (0.02, 0.20, 0.02), 0.92),  # clips vary most
        (2, (40,), (0.00, 0.20, 0.02), 0.92),
        (5, (15, 25), (0.02, 0.15, 0.02), 0.91),
    ],
)
def test_intervals_cover_the_truth(seeds: int, strata, spreads, least: float) -> None:
    share = coverage(crossed(400, seeds, strata, spreads, mean=0.1), 0.1)
    assert least <= share <= 0.99


def test_clips_alone_miss_how_training_varies() -> None:
    """Why few seeds are said to be too few."""
    assert coverage(crossed(300, 2, (40,), (0.05, 0.02, 0.02)), 0.0) < 0.6
    assert not seeds_vary(crossed(1, 2, (4,), (0, 0, 0)))
    assert seeds_vary(crossed(1, 3, (4,), (0, 0, 0)))


def test_the_same_seed_gives_the_same_numbers() -> None:
    sample = crossed(2, 5, (30,), (0.02, 0.1, 0.05))
    first, again = (bca_interval(sample, Settings(seed=3, num_resamples=199)) for _ in range(2))
    other = bca_interval(sample, Settings(seed=4, num_resamples=199))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_rows_without_spread_are_points_and_one_clip_is_unknown() -> None:
    flat = Sample(np.full((1, 3, 5), 0.25), (5,))
    assert [float(end[0]) for end in bca_interval(flat, QUICK)] == [0.25, 0.25]
    assert np.isnan(bca_interval(Sample(np.ones((1, 3, 1)), (1,)), QUICK)).all()


def test_settings_name_every_problem() -> None:
    with pytest.raises(ValueError) as caught:
        Settings(confidence=95, alpha=0, num_resamples=10, seed=-1)
    for part in ("confidence: got 95", "alpha: got 0", "num_resamples: got 10", "seed: got -1"):
        assert part in str(caught.value)
