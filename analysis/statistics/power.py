"""How often the test of `crossed_means` finds a difference, and what it would take to find one.

Of paired differences d[s, c] = difference + seed[s] + clip[c] + rest[s, c] with normal draws, the
mean squares of seeds, clips and rest are independent of each other and of the mean; each is its
expectation times a chi-square over its degrees of freedom. `power` integrates the test's own rule
over them; `detectable` and `needed` invert it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.statistics.crossed_means import (
    CLIPS,
    CLIPS_AND_SEEDS,
    FEWEST_SEEDS,
    MeanSquares,
    Spread,
    added_by_clips,
    critical_values,
    fixed,
    mean_squares,
)
from analysis.statistics.score_arrays import Sample

Array = NDArray[Any]
FEWEST_CLIPS = 2
"""Below, the spread between clips is not estimated."""
MOST_SEEDS, MOST_CLIPS = 1000, 100_000
"""Where `needed` stops looking."""
_NODES = {"seeds": 48, "clips": 24, "rest": 8}
"""Of the integral: powers of 0.8 are exact to 1e-4, levels of 0.001 to a tenth of themselves."""


class Variances(NamedTuple):
    """Of one seed, clip and rest: a mean of S and C has seed / S + clip / C + rest / (S C)."""

    # None: not known, as with one seed, or not asked for; the test is over clips alone then.
    seed: float | None
    # With one seed the rest is in it, as it cannot be told from it. Where there are several strata,
    # that of their mean, with as large shares of the clips as were measured.
    clip: float
    rest: float
    # Degrees of freedom of the clips' mean square over C - 1: below one of several strata.
    df_share: float = 1.0

    @property
    def known(self) -> bool:
        """Whether there is anything to compute with: not of one clip, nor where nothing varies."""
        return bool(np.isfinite(self.clip))


class Needed(NamedTuple):
    """What would find a difference. None: no number up to `MOST_SEEDS` or `MOST_CLIPS`."""

    seeds: int | None  # in all, with the clips that there are; None, too, where seeds are not known
    clips: int | None  # in all, with the seeds that there are


def variances(sample: Sample) -> Variances:
    """Measure those of a sample of one row, by its clips and seeds; unbiased, none below zero."""
    (found,) = row_variances(sample)
    return found


def row_variances(sample: Sample, over: str = CLIPS_AND_SEEDS) -> list[Variances]:
    """Measure those of K rows.

    Returns:
        Unbiased estimates, but none below zero. The seed's is None with one seed, or where the test
        is ``over`` clips alone. NaN of a single clip, and where nothing varies.
    """
    _, num_seeds, num_clips = sample.values.shape
    found = mean_squares(sample)
    unknown = fixed(sample)
    seed = np.where(unknown, np.nan, num_seeds * np.maximum(found.seeds - found.rest, 0))
    clip = np.where(unknown, np.nan, num_clips * np.maximum(found.clips - found.rest, 0))
    rest = np.where(unknown, np.nan, num_seeds * num_clips * found.rest)
    without = num_seeds < FEWEST_SEEDS or over == CLIPS
    return [
        Variances(None if without else s, c, r, share)
        for s, c, r, share in zip(
            seed.tolist(),
            clip.tolist(),
            rest.tolist(),
            (found.df_clips / (num_clips - 1)).tolist() if num_clips > 1 else [1.0] * len(clip),
            strict=True,
        )
    ]


def power(variances: Variances, effect: float, seeds: int, clips: int, alpha: float) -> float:
    """Return how often the two-sided test of ``seeds`` x ``clips`` finds a true ``effect``.

    Where the variance of seeds is not known, or there is one seed, it is the test over clips alone,
    for these trained models. NaN where no variance is known, or of one clip.
    """
    return _Test(variances, seeds, clips, alpha).power(abs(effect))


def detectable(
    variances: Variances, seeds: int, clips: int, alpha: float, power: float = 0.8
) -> float:
    """Return the smallest true effect that is found in a share ``power`` of repetitions."""
    from scipy.optimize import brentq

    test = _Test(variances, seeds, clips, alpha)
    if not np.isfinite(test.error):
        return float("nan")
    # Beyond the largest threshold by six standard errors it is found for certain.
    most = float(test.thresholds.max()) + 6 * test.error
    return float(brentq(lambda effect: test.power(effect) - power, 0.0, most, rtol=1e-6))


def needed(
    variances: Variances,
    effect: float,
    seeds: int,
    clips: int,
    alpha: float,
    power: float = 0.8,
) -> Needed:
    """Return the fewest seeds with these clips, and clips with these seeds, that find ``effect``.

    Both count all, those that are there included; at least two of each.
    """

    def enough(num_seeds: int, num_clips: int) -> bool:
        return _Test(variances, num_seeds, num_clips, alpha).power(abs(effect)) >= power

    by_seeds = None
    if variances.seed is not None:
        by_seeds = _fewest(lambda number: enough(number, clips), FEWEST_SEEDS, MOST_SEEDS)
    by_clips = _fewest(lambda number: enough(seeds, number), FEWEST_CLIPS, MOST_CLIPS)
    return Needed(by_seeds, by_clips)


def _fewest(enough: Callable[[int], bool], low: int, most: int) -> int | None:
    """Return the least number from ``low`` to ``most`` that is enough; more are, too."""
    number = low + bisect_left(range(low, most + 1), True, key=enough)
    return number if number <= most else None


class _Test:
    """The test of a mean of S seeds and C clips, before anything is measured.

    Attributes:
        error: the mean's true standard error.
        thresholds: (N,) what the mean must exceed, for N outcomes of the mean squares.
        weights: (N,) how likely these are; they sum to one.
    """

    def __init__(self, variances: Variances, seeds: int, clips: int, alpha: float) -> None:
        seed, clip, rest, df_share = variances
        rest = rest / (seeds * clips)
        by_clips, df_clips = clip / clips + rest, max(df_share * (clips - 1), 1.0)
        self.error: float = float("nan")
        self.thresholds = self.weights = np.full(1, np.nan)
        if clips < FEWEST_CLIPS or not np.isfinite(by_clips):
            return
        squares, clip_weights = _chi_squares(df_clips, _NODES["clips"])
        df = np.full(1, df_clips)
        if seed is None or seeds < FEWEST_SEEDS:
            self.error = by_clips**0.5
            found = Spread(np.zeros(len(squares)), by_clips * squares, 1.0, df)
            self.weights = clip_weights
        else:
            by_seeds, df_seeds = seed / seeds + rest, seeds - 1.0
            self.error = (by_seeds + clip / clips) ** 0.5
            of_seeds, seed_weights = _chi_squares(df_seeds, _NODES["seeds"])
            of_rest, rest_weights = np.ones(1), np.ones(1)
            if rest > 0:
                of_rest, rest_weights = _chi_squares(df_seeds * df_clips, _NODES["rest"])
            s, c, r = np.meshgrid(by_seeds * of_seeds, by_clips * squares, rest * of_rest)
            flat = MeanSquares(s.ravel(), c.ravel(), r.ravel(), df)
            found = Spread(flat.seeds, added_by_clips(flat), df_seeds, df)
            each = np.meshgrid(seed_weights, clip_weights, rest_weights)
            self.weights = np.prod(each, axis=0).ravel()
        self.thresholds = critical_values(found, alpha) * found.standard_error

    def power(self, effect: float) -> float:
        """Return how often a mean of this true value lies beyond its threshold, on any side."""
        from scipy.special import ndtr

        beyond = ndtr((effect - self.thresholds) / self.error)
        below = ndtr((-effect - self.thresholds) / self.error)
        return float(self.weights @ (beyond + below))


@lru_cache(maxsize=256)
def _chi_squares(df: float, count: int) -> tuple[Array, Array]:
    """Return values of a chi-square over its degrees of freedom, and how likely each is."""
    from scipy import stats

    nodes, weights = np.polynomial.legendre.leggauss(count)
    t = (nodes + 1) / 2
    # Denser at both ends, where a chi-square of few degrees of freedom has its say.
    return stats.chi2.ppf(t * t * (3 - 2 * t), df) / df, weights * 3 * t * (1 - t)
