from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.power import TTestPower

from analysis.statistics.crossed_means import CLIPS, Settings, p_values
from analysis.statistics.power import (
    MOST_CLIPS,
    Needed,
    Variances,
    detectable,
    needed,
    power,
    row_variances,
    variances,
)
from analysis.statistics.score_arrays import Sample

KINDS = {
    "seeds only": Variances(1.0, 0.0, 0.0),
    "seeds and clips": Variances(1.0, 10.0, 10.0),
    "clips": Variances(0.1, 30.0, 10.0),
    "the rest": Variances(0.0, 0.0, 30.0),
}


def drawn(
    rows: int, seeds: int, strata: tuple[int, ...], truth: Variances, mean: float = 0.0
) -> Sample:
    """Draw K rows of the model with known variances and mean."""
    rng = np.random.default_rng(3)
    assert truth.seed is not None
    shape = (rows, seeds, sum(strata))
    values = mean + rng.normal(0, truth.seed**0.5, (rows, seeds, 1))
    values = values + rng.normal(0, truth.clip**0.5, (rows, 1, shape[2]))
    return Sample(values + rng.normal(0, truth.rest**0.5, shape), strata)


@pytest.mark.parametrize("truth", [KINDS["seeds only"], Variances(4.0, 9.0, 3.0)])
def test_the_variances_that_were_drawn_are_measured(truth: Variances) -> None:
    found = row_variances(drawn(3000, 6, (15,), truth))
    assert all(min(one[:3]) >= 0 for one in found)
    for name in ("seed", "clip", "rest"):
        values = [getattr(one, name) for one in found]
        wanted = getattr(truth, name)
        # Next to none is cut at zero here.
        assert np.mean(values) == pytest.approx(wanted, rel=0.05), name


def test_strata_are_measured_as_shares_of_the_mean_over_them() -> None:
    """The mean of S seeds and C clips varies by seed / S + clip / C + rest / (S C)."""
    sample = drawn(4000, 5, (4, 12), Variances(4.0, 8.0, 4.0))
    found = row_variances(sample)
    clip = 16 * (8 / 4 + 8 / 12) / 4
    assert np.mean([one.seed for one in found]) == pytest.approx(4.0, rel=0.05)
    assert np.mean([one.clip for one in found]) == pytest.approx(clip, rel=0.05)
    assert np.mean([one.rest for one in found]) == pytest.approx(clip / 2, rel=0.05)
    assert 3 / 15 < np.mean([one.df_share for one in found]) < 14 / 15


def test_of_one_seed_the_seed_is_unknown_and_the_rest_is_with_the_clips() -> None:
    sample = drawn(1, 1, (40,), KINDS["clips"])
    found = variances(sample)
    assert found == (None, pytest.approx(sample.values.var(ddof=1)), 0.0, 1.0)
    assert power(found, 3.0, 1, 40, 0.05) == power(found, 3.0, 5, 40, 0.05)
    assert needed(found, 3.0, 1, 40, 0.05).seeds is None
    assert needed(found, 3.0, 1, 40, 0.05).clips is not None


def test_over_clips_alone_more_seeds_lessen_only_the_rest() -> None:
    (found,) = row_variances(drawn(1, 3, (40,), KINDS["seeds and clips"]), CLIPS)
    assert found.seed is None and found.clip > 0 and found.rest > 0
    assert power(found, 1.0, 3, 40, 0.05) < power(found, 1.0, 30, 40, 0.05)


@pytest.mark.parametrize("strata", [(1,), (1, 5)])
def test_one_clip_of_a_stratum_leaves_power_unknown(strata: tuple[int, ...]) -> None:
    found = variances(drawn(1, 3, strata, KINDS["clips"]))
    assert not found.known
    assert np.isnan([power(found, 1.0, 3, 9, 0.05), detectable(found, 3, 9, 0.05)]).all()
    assert needed(found, 1.0, 3, 9, 0.05) == Needed(None, None)


def test_what_does_not_vary_has_no_power() -> None:
    found = variances(Sample(np.full((1, 3, 6), 0.1), (6,)))
    assert not found.known and np.isnan(power(found, 1.0, 3, 6, 0.05))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_differences_are_found_as_often_as_forecast(seeds: int, kind: str) -> None:
    """Of 4,000 repetitions 0.8 are found with a standard error of 0.0063."""
    truth = KINDS[kind]
    effect = detectable(truth, seeds, 20, 0.05, 0.8)
    assert power(truth, effect, seeds, 20, 0.05) == pytest.approx(0.8, abs=1e-5)
    found = p_values(drawn(4000, seeds, (20,), truth, effect), Settings()) < 0.05
    assert np.mean(found) == pytest.approx(0.8, abs=0.025)


@pytest.mark.parametrize("alpha", [0.05, 0.001])
def test_without_a_difference_power_is_the_level(alpha: float) -> None:
    """Where seeds alone or clips alone vary the test is Student's, and exact."""
    assert power(KINDS["seeds only"], 0.0, 2, 20, alpha) == pytest.approx(alpha, rel=0.02)
    one_seed = Variances(None, 4.0, 0.0)
    assert power(one_seed, 0.0, 1, 20, alpha) == pytest.approx(alpha, rel=0.02)
    assert power(KINDS["seeds and clips"], 0.0, 3, 20, alpha) < alpha


@pytest.mark.parametrize("clips", [6, 31, 740])
def test_of_clips_alone_it_is_what_statsmodels_solves(clips: int) -> None:
    solved = TTestPower().solve_power(nobs=clips, alpha=0.05, power=0.8)
    assert detectable(Variances(None, 1.0, 0.0), 1, clips, 0.05) == pytest.approx(solved, rel=1e-4)


def test_needed_is_the_least_that_has_the_power() -> None:
    truth, effect = KINDS["seeds and clips"], 2.4
    found = needed(truth, effect, 3, 20, 0.05)
    assert found.seeds is not None and found.clips is None, "three seeds alone vary by 0.58"
    assert power(truth, effect, found.seeds, 20, 0.05) >= 0.8
    assert power(truth, effect, found.seeds - 1, 20, 0.05) < 0.8
    clips = needed(KINDS["clips"], effect, 3, 20, 0.05).clips
    assert clips is not None and 20 < clips < MOST_CLIPS
    assert power(KINDS["clips"], effect, 3, clips, 0.05) >= 0.8
    assert power(KINDS["clips"], effect, 3, clips - 1, 0.05) < 0.8
    assert needed(truth, 100.0, 3, 20, 0.05) == Needed(2, 2)
    assert needed(truth, 0.0, 3, 20, 0.05) == Needed(None, None)
    assert needed(truth, -effect, 3, 20, 0.05) == found
