"""Intervals and tests of means over seeds and clips that are crossed.

A row holds scores, or paired differences of scores, d[s, c] of S seeds and C clips; the same clips
are scored in every seed, so that seeds and clips are crossed factors and not nested ones:

    d[s, c] = mean + seed[s] + clip[c] + rest[s, c]

Clips may be drawn from several strata; a row's mean is the mean of the strata's means. Interval
and test are one thing: p is the level at which the interval begins to hold zero. How often it
covers the truth: ``docs/statistics.md``, measured by ``benchmarks/interval_coverage.py``. How large
a difference it finds: `analysis.statistics.power`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.statistics.score_arrays import Sample

Array = NDArray[Any]
CLIPS, CLIPS_AND_SEEDS = "clips", "clips and seeds"
"""What an interval and a test speak of: other clips, or other clips and training anew."""
FEWEST_SEEDS = 2
"""Below, the spread between seeds is not estimated, and clips alone vary."""
_SMALLEST_LOG_P = -340.0  # the squares of its quantiles are still numbers


@dataclass(frozen=True)
class Settings:
    """How statistics are computed.

    Raises:
        ValueError: with all problems at once.
    """

    confidence: float = 0.95  # of intervals, which are not corrected for the number of cells
    alpha: float = 0.05  # level of the tests after Holm's correction
    power: float = 0.8  # of the smallest detectable difference
    # `CLIPS_AND_SEEDS`, or `CLIPS`: other clips alone, for these trained models.
    over: str = CLIPS_AND_SEEDS

    def __post_init__(self) -> None:
        problems = [
            f"{name}: got {getattr(self, name)}, wanted a number between 0 and 1"
            for name in ("confidence", "alpha", "power")
            if not 0 < getattr(self, name) < 1
        ]
        if self.over not in (CLIPS, CLIPS_AND_SEEDS):
            problems.append(f"over: got {self.over!r}, wanted {CLIPS_AND_SEEDS!r} or {CLIPS!r}")
        if problems:
            raise ValueError("\n".join(problems))


USUAL = Settings()
"""Of intervals and tests where none are stated."""


class MeanSquares(NamedTuple):
    """Those of the two-way analysis of K rows over S·C: variances of the rows' means."""

    seeds: Array  # (K,) the rest included; NaN with one seed
    clips: Array  # (K,) the rest included; NaN where a stratum has one clip
    rest: Array  # (K,) zero with one seed, which does not tell it from the clips
    df_clips: Array  # (K,) degrees of freedom of ``clips``


class Spread(NamedTuple):
    """Variances of the means of K rows."""

    by_seeds: Array  # (K,) what seeds contribute, with their share of the rest
    by_clips: Array  # (K,) what is added by clips
    df_seeds: float | Array  # degrees of freedom of ``by_seeds``, one number or (K,)
    df_clips: Array  # (K,) of ``by_clips``

    @property
    def standard_error(self) -> Array:
        """(K,), NaN where it cannot be estimated."""
        error: Array = np.sqrt(self.by_seeds + self.by_clips)
        return error

    @property
    def df(self) -> Array:
        """(K,) degrees of freedom of the squared standard error, by Satterthwaite."""
        total = self.by_seeds + self.by_clips
        parts = self.by_seeds**2 / self.df_seeds + self.by_clips**2 / self.df_clips
        with np.errstate(divide="ignore", invalid="ignore"):
            df: Array = total**2 / parts
        return df


def row_means(sample: Sample) -> Array:
    """Return the (K,) means over seeds and clips."""
    mean: Array = sample.values.mean(1) @ clip_weights(sample)
    return mean


def clip_weights(sample: Sample) -> Array:
    """Return the (C,) weights of the clips in a row's mean."""
    sizes = np.asarray(sample.strata)
    return np.repeat(1 / (len(sizes) * sizes), sizes)


def varies(sample: Sample, settings: Settings) -> str:
    """Return what interval and test of a sample speak of, `CLIPS` or `CLIPS_AND_SEEDS`."""
    return CLIPS if sample.values.shape[1] < FEWEST_SEEDS else settings.over


def spread(sample: Sample, settings: Settings) -> Spread:
    """Estimate how the rows' means vary.

    With v_S, v_C and v_E the variances of the mean by seeds, clips and rest, each its mean square
    of the two-way analysis (v_S and v_C hold the rest, too), V = max(v_S + v_C - v_E, v_S, v_C,
    v_E): no part can be larger than the whole. v_S of V is the seeds', what is left the clips'.
    Where clips alone vary it is v_C of the means over seeds.

    Returns:
        NaN where a stratum has one clip, or nothing varies within any.
    """
    num_rows, num_seeds, _ = sample.values.shape
    found = mean_squares(sample)
    by_clips = found.clips
    if varies(sample, settings) == CLIPS:
        by_seeds, df_seeds = np.zeros(num_rows), 1.0
        sample = Sample(sample.values.mean(1, keepdims=True), sample.strata)
    else:
        by_seeds, df_seeds = found.seeds, num_seeds - 1.0
        by_clips = added_by_clips(found)
    unknown = fixed(sample) | np.isnan(by_clips)
    return Spread(
        np.where(unknown, np.nan, by_seeds),
        np.where(unknown, np.nan, by_clips),
        df_seeds,
        found.df_clips,
    )


def added_by_clips(found: MeanSquares) -> Array:
    """Return what clips add to the seeds' share of the variance of a mean; see `spread`."""
    seeds, clips, rest, _ = found
    whole: Array = np.maximum.reduce([seeds + clips - rest, seeds, clips, rest])
    return whole - seeds


def fixed(sample: Sample) -> Array:
    """Return (K,) whether a row has one number in each stratum, but for rounding."""
    values, strata = sample
    starts = np.cumsum((0, *strata[:-1]))
    most = np.maximum.reduceat(values.max(1), starts, axis=1)
    least = np.minimum.reduceat(values.min(1), starts, axis=1)
    largest = np.abs(values).max((1, 2))
    same: Array = (most - least).max(1) <= 1e-9 * largest + 1e-12
    return same


def critical_values(found: Spread, alpha: float) -> Array:
    """Return (K,) how many standard errors an interval of level 1 - alpha reaches to each side.

    The root of the mean of the squares of Student's quantiles of seeds and clips, weighted by
    their variances (Howe, Journal of the American Statistical Association 69, 1974). With few seeds
    it covers where Satterthwaite's degrees of freedom do not, because these are estimated, too; a
    mean of the quantiles themselves does not at small levels.
    """
    from scipy.special import stdtrit  # a twentieth of the time of scipy.stats' own, which calls it

    seeds = found.by_seeds * stdtrit(found.df_seeds, alpha / 2) ** 2
    clips = found.by_clips * stdtrit(found.df_clips, alpha / 2) ** 2
    critical: Array = np.sqrt((seeds + clips) / (found.by_seeds + found.by_clips))
    return critical


def intervals(
    sample: Sample, settings: Settings, *, low: Array | None = None, high: Array | None = None
) -> tuple[Array, Array]:
    """Return (K,) lower and upper ends of intervals of the rows' means.

    Args:
        sample: K rows.
        settings: the level, and what varies.
        low: (K,) least possible mean, -inf where there is none.
        high: (K,) largest possible mean, inf where there is none. Where a row has both ends, its
            interval is that of log((mean - low) / (high - mean)), and lies between them.

    Returns:
        NaN where `spread` is.
    """
    mean, found = row_means(sample), spread(sample, settings)
    half = critical_values(found, 1 - settings.confidence) * found.standard_error
    plain = mean - half, mean + half
    if low is None or high is None:
        return plain
    inside = np.isfinite(low) & np.isfinite(high) & (low < mean) & (mean < high)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        centre = np.log((mean - low) / (high - mean))
        slope = (high - low) / ((mean - low) * (high - mean))
        ends = [
            low + (high - low) / (1 + np.exp(-(centre + side * half * slope))) for side in (-1, 1)
        ]
    return np.where(inside, ends[0], plain[0]), np.where(inside, ends[1], plain[1])


def p_values(sample: Sample, settings: Settings) -> Array:
    """Return (K,) two-sided p-values of the rows' means being zero; NaN where `spread` is.

    p is the level at which the interval has zero at its end.
    """
    found = spread(sample, settings)
    with np.errstate(invalid="ignore"):
        reached = np.abs(row_means(sample)) / found.standard_error
    low, high = np.full(len(reached), _SMALLEST_LOG_P), np.zeros(len(reached))
    for _ in range(64):
        middle = (low + high) / 2
        beyond = critical_values(found, np.exp(middle)) < reached  # type: ignore[arg-type]
        low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
    return np.where(np.isnan(reached), np.nan, np.exp(high))


def mean_squares(sample: Sample) -> MeanSquares:
    """Return the mean squares of seeds, clips and rest as variances of the rows' means.

    Those of strata add, over the square of their number.
    """
    values, strata = sample
    num_rows, num_seeds, _ = values.shape
    by_seeds = np.full(num_rows, np.nan)
    if num_seeds > 1:
        by_seeds = (values @ clip_weights(sample)).var(1, ddof=1) / num_seeds
    if min(strata) < 2:
        unknown = np.full(num_rows, np.nan)
        return MeanSquares(by_seeds, unknown, unknown, unknown)
    by_clip = values.mean(1)
    by_clips, squares, rest = np.zeros(num_rows), np.zeros(num_rows), np.zeros(num_rows)
    for start, size in zip(np.cumsum((0, *strata)), strata, strict=False):
        part = values[:, :, start : start + size]
        own = by_clip[:, start : start + size]
        variance = own.var(1, ddof=1) / size / len(strata) ** 2
        by_clips += variance
        squares += variance**2 / (size - 1)
        if num_seeds > 1:
            apart = part - part.mean(2, keepdims=True) - own[:, None]
            apart = apart + own.mean(1)[:, None, None]
            square = (apart**2).sum((1, 2)) / ((num_seeds - 1) * (size - 1))
            rest += square / (num_seeds * size) / len(strata) ** 2
    # Strata of unlike spreads as Welch has it; equal ones have C - strata degrees of freedom.
    known = squares > 0
    df = np.where(known, by_clips**2 / np.where(known, squares, 1), sum(strata) - len(strata))
    return MeanSquares(by_seeds, by_clips, rest, df)
