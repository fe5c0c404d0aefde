"""Tests and power for means over seeds and clips that are crossed; the model is in `resampling`."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.resampling import BATCH, DECIMALS, Settings, clip_weights, row_means, seeds_vary
from analysis.score_arrays import Sample

Array = NDArray[Any]


class StandardError(NamedTuple):
    """Of the means of K rows.

    Attributes:
        value: (K,).
        df: (K,) degrees of freedom.
    """

    value: Array
    df: Array


def p_values(sample: Sample, settings: Settings) -> Array:
    """Two-sided p-values of the rows' means being zero.

    Where `seeds_vary`, a t-test with `standard_error`; else a permutation test that flips the
    sign of a clip's difference, in all its seeds together: with few seeds it speaks of these
    trained models, and not of training anew.

    Returns:
        (K,) p-values; NaN where there is one clip alone.
    """
    from scipy import stats

    means = row_means(sample)
    if min(sample.strata) < 2:
        return np.full(len(means), np.nan)
    if seeds_vary(sample):
        error = standard_error(sample)
        with np.errstate(divide="ignore", invalid="ignore"):
            p = 2 * stats.t.sf(np.abs(means) / error.value, error.df)
        return np.where(np.abs(means) < 10.0**-DECIMALS, 1.0, p)
    weighted = sample.values.mean(1) * clip_weights(sample)

    def mean_of_flipped(signs: Array, axis: int) -> Array:
        # Rounded, so that equal sums in another order of addition stay equal.
        flipped: Array = np.round(signs @ weighted.T, DECIMALS)
        return flipped

    tested = stats.permutation_test(
        (np.ones(weighted.shape[1]),),
        mean_of_flipped,
        permutation_type="samples",
        vectorized=True,
        axis=-1,
        n_resamples=settings.num_resamples,
        batch=BATCH,
        rng=np.random.default_rng(settings.seed),
    )
    return np.asarray(tested.pvalue)


def standard_error(sample: Sample) -> StandardError:
    """Standard error of the rows' means, by the variance components of the crossed model.

    With v_S, v_C and v_E the variances of the mean by seeds, clips and rest, each estimated by its
    mean square: V = v_S + W with W = max(v_C - v_E, 0), the error that multi-reader studies use
    for readers crossed with cases (Hillis, Statistics in Medicine 26, 2007), and Satterthwaite's
    degrees of freedom V^2 / (v_S^2 / (S - 1) + W^2 / (C - strata)). Where seeds are too few it is
    v_C of the means over seeds, with C - strata degrees of freedom. With one clip in a stratum it
    is unknown, NaN.
    """
    values, strata = sample
    num_rows, num_seeds, num_clips = values.shape
    if min(strata) < 2:
        return StandardError(np.full(num_rows, np.nan), np.full(num_rows, np.nan))
    by_clips, rest = _clips_and_rest(sample)
    df_clips = float(num_clips - len(strata))
    if not seeds_vary(sample):
        return StandardError(np.sqrt(by_clips), np.full(num_rows, df_clips))
    by_seed = values @ clip_weights(sample)
    by_seeds = by_seed.var(1, ddof=1) / num_seeds
    by_clips = np.maximum(by_clips - rest, 0)
    total = by_seeds + by_clips
    with np.errstate(divide="ignore", invalid="ignore"):
        df = total**2 / (by_seeds**2 / (num_seeds - 1) + by_clips**2 / df_clips)
    return StandardError(np.sqrt(total), np.where(total > 0, df, 1.0))


def detectable(error: StandardError, alpha: float, power: float) -> Array:
    """Smallest true difference that a two-sided t-test finds with a given power.

    Args:
        error: of the rows' means.
        alpha: level of the test.
        power: share of repetitions in which it is found.

    Returns:
        (K,); NaN where the error is unknown, or zero because nothing varies.
    """
    from scipy import stats
    from scipy.optimize import elementwise
    from statsmodels.stats.power import ttest_power

    # Effects in standard deviations of a mean of df + 1 values.
    df = np.maximum(np.nan_to_num(error.df, nan=1.0), 1.0)
    distinct, inverse = np.unique(np.round(df, 2), return_inverse=True)

    def missing(effect: Array, degrees: Array) -> Array:
        # The other tail adds next to nothing, and is where the distribution fails numerically.
        found = ttest_power(effect, degrees + 1, alpha / 2, df=degrees, alternative="larger")
        return np.asarray(found) - power

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        # A t value lies below 1.5 times its non-centrality four times in five, for any df.
        most = (1.5 * stats.t.isf(alpha / 2, distinct) + 5) / np.sqrt(distinct + 1)
        found = elementwise.find_root(missing, (np.zeros_like(most), most), args=(distinct,))
    effect = np.where(found.success, found.x, np.nan) * np.sqrt(distinct + 1)
    smallest = effect[inverse.ravel()] * error.value
    return np.where(error.value > 0, smallest, np.nan)


def _clips_and_rest(sample: Sample) -> tuple[Array, Array]:
    """Return (K,) variances of the rows' means by clips, rest included, and by the rest alone."""
    values, strata = sample
    num_rows, num_seeds, _ = values.shape
    by_clip = values.mean(1)
    by_clips, rest = np.zeros(num_rows), np.zeros(num_rows)
    for start, size in zip(np.cumsum((0, *strata)), strata, strict=False):
        part = values[:, :, start : start + size]
        own = by_clip[:, start : start + size]
        by_clips += own.var(1, ddof=1) / size / len(strata) ** 2
        if num_seeds > 1:
            apart = part - part.mean(2, keepdims=True) - own[:, None]
            apart = apart + own.mean(1)[:, None, None]
            square = (apart**2).sum((1, 2)) / ((num_seeds - 1) * (size - 1))
            rest += square / (num_seeds * size) / len(strata) ** 2
    return by_clips, rest
