from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.anova import AnovaRM

from analysis.statistics.crossed_means import CLIPS, Settings, p_values
from analysis.statistics.joint_tests import joint_test
from analysis.statistics.score_arrays import Sample

SETTINGS = Settings()


def orthonormal(size: int) -> np.ndarray:
    return np.linalg.qr(np.eye(size)[:, 1:] - 1 / size)[0].T


def scores(
    rng: np.random.Generator, levels: int, seeds: int, clips: int, spread: tuple[float, ...]
) -> np.ndarray:
    """Scores of levels that differ from seed to seed and clip to clip, and not on average."""
    shapes = ((levels, seeds, 1), (levels, 1, clips), (levels, seeds, clips))
    return sum(s * rng.normal(size=shape) for s, shape in zip(spread, shapes, strict=True))


@pytest.mark.parametrize(("seeds", "strata"), [(1, (12,)), (2, (12,)), (5, (4, 8))])
def test_one_row_is_tested_as_its_interval_does(seeds: int, strata: tuple[int, ...]) -> None:
    values = np.random.default_rng(1).normal(0.4, 1, (1, seeds, 12))
    sample = Sample(values, strata)
    expected = float(p_values(sample, SETTINGS)[0])
    assert joint_test(sample, SETTINGS).p == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("settings", [SETTINGS, Settings(over=CLIPS)])
def test_over_clips_it_is_the_anova_of_repeated_measures(settings: Settings) -> None:
    seeds = 1 if settings is SETTINGS else 3
    values = scores(np.random.default_rng(2), 4, seeds, 10, (0.1, 1.0, 0.5))
    values += np.array([0, 0.4, 0.8, 0.2])[:, None, None]
    frame = pd.DataFrame(
        [(c, k, values[k, :, c].mean()) for c in range(10) for k in range(4)],
        columns=["clip", "level", "score"],
    )
    expected = AnovaRM(frame, "score", "clip", within=["level"]).fit().anova_table
    contrasts = np.einsum("ik,ksc->isc", orthonormal(4), values)
    found = joint_test(Sample(contrasts, (10,)), settings)
    assert found.rows == expected["Num DF"].iloc[0]
    assert found.statistic == pytest.approx(expected["F Value"].iloc[0])
    assert found.p == pytest.approx(expected["Pr > F"].iloc[0])


def test_it_does_not_hang_on_the_choice_of_contrasts() -> None:
    values = scores(np.random.default_rng(3), 3, 3, 9, (1.0, 1.0, 1.0))
    basis = orthonormal(3)
    turned = np.array([[0.6, 0.8], [-0.8, 0.6]]) @ basis
    samples = [Sample(np.einsum("ik,ksc->isc", b, values), (9,)) for b in (basis, turned)]
    first, second = (joint_test(sample, SETTINGS) for sample in samples)
    assert first == pytest.approx(second)


@pytest.mark.parametrize(
    ("seeds", "spread"), [(2, (1.0, 0.0, 0.01)), (3, (0.2, 1.0, 0.2)), (3, (0.0, 0.0, 1.0))]
)
def test_the_level_is_kept(seeds: int, spread: tuple[float, ...]) -> None:
    """200 experiments without an effect: seeds alone, both, the rest alone."""
    rng = np.random.default_rng(4)
    rejected = 0
    for _ in range(200):
        values = np.einsum("ik,ksc->isc", orthonormal(3), scores(rng, 3, seeds, 20, spread))
        rejected += joint_test(Sample(values, (20,)), SETTINGS).p < 0.05
    assert rejected / 200 < 0.09  # 0.05 + 2.6 standard errors


def test_a_large_effect_has_a_small_p_and_nothing_that_varies_none() -> None:
    values = np.random.default_rng(5).normal(50, 1, (2, 5, 30))
    assert 0 < joint_test(Sample(values, (30,)), SETTINGS).p < 1e-8
    same = joint_test(Sample(np.full((2, 3, 5), 0.1), (5,)), SETTINGS)
    assert np.isnan([same.statistic, same.p]).all()
    alone = joint_test(Sample(np.ones((2, 3, 1)), (1,)), SETTINGS)
    assert np.isnan(alone.p)
