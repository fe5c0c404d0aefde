"""Bootstrap intervals of means over seeds and clips that are crossed.

A row holds scores, or paired differences of scores, d[s, c] of S seeds and C clips; the same clips
are scored in every seed, so that seeds and clips are crossed factors and not nested ones:

    d[s, c] = mean + seed[s] + clip[c] + rest[s, c]

Clips may be drawn from several strata; a row's mean is the mean of the strata's means.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.score_arrays import Sample

Array = NDArray[Any]
FEWEST_SEEDS = 3
"""Below, the spread between seeds is not estimated: intervals and tests vary the clips alone."""
BATCH = 1000
"""Draws at a time, which bounds the memory."""
DECIMALS = 12
"""Digits behind which two means are equal."""


@dataclass(frozen=True)
class Settings:
    """How statistics are computed.

    Attributes:
        confidence: of intervals, which are not corrected for the number of cells.
        alpha: level of the tests after Holm's correction.
        power: of the smallest detectable difference.
        num_resamples: of bootstrap and permutations.
        seed: of both; the same seed gives the same numbers.

    Raises:
        ValueError: with all problems at once.
    """

    confidence: float = 0.95
    alpha: float = 0.05
    power: float = 0.8
    num_resamples: int = 9_999
    seed: int = 0

    def __post_init__(self) -> None:
        problems = [
            f"{name}: got {getattr(self, name)}, wanted a number between 0 and 1"
            for name in ("confidence", "alpha", "power")
            if not 0 < getattr(self, name) < 1
        ]
        if self.num_resamples < 99:
            problems.append(f"num_resamples: got {self.num_resamples}, wanted 99 or more")
        if self.seed < 0:
            problems.append(f"seed: got {self.seed}, wanted 0 or more")
        if problems:
            raise ValueError("\n".join(problems))


def row_means(sample: Sample) -> Array:
    """Return the (K,) means over seeds and clips."""
    mean: Array = sample.values.mean(1) @ clip_weights(sample)
    return mean


def clip_weights(sample: Sample) -> Array:
    """Return the (C,) weights of the clips in a row's mean."""
    sizes = np.asarray(sample.strata)
    return np.repeat(1 / (len(sizes) * sizes), sizes)


def seeds_vary(sample: Sample) -> bool:
    """Return whether there are seeds enough to estimate how training anew would vary."""
    return bool(sample.values.shape[1] >= FEWEST_SEEDS)


def bca_interval(sample: Sample, settings: Settings) -> tuple[Array, Array]:
    """Bias-corrected and accelerated bootstrap interval of the rows' means.

    The clips of each stratum are drawn with replacement, and the seeds too where `seeds_vary`,
    independently of the clips: the pigeonhole bootstrap of crossed factors (Owen, Annals of
    Applied Statistics 1(2), 2007). Drawing S of S seeds understates their variance by (S - 1)/S;
    deviations of seeds are therefore stretched by sqrt(S/(S - 1)) (Rao and Wu, JASA 83, 1988).

    Returns:
        (K,) lower and (K,) upper ends; NaN where a stratum has one clip.
    """
    from scipy import stats

    num_rows, num_seeds, _ = sample.values.shape
    if min(sample.strata) < 2:
        return np.full(num_rows, np.nan), np.full(num_rows, np.nan)
    sizes = list(sample.strata)
    if seeds_vary(sample):
        sizes.append(num_seeds)
    with warnings.catch_warnings():
        # Rows without any spread, which are filled in below.
        warnings.filterwarnings("ignore", message="The BCa confidence interval")
        warnings.filterwarnings("ignore", category=RuntimeWarning)
        found = stats.bootstrap(
            [np.arange(size) for size in sizes],
            _ResampledMean(sample),
            method="BCa",
            vectorized=True,
            axis=-1,
            confidence_level=settings.confidence,
            n_resamples=settings.num_resamples,
            batch=BATCH,
            rng=np.random.default_rng(settings.seed),
        )
    low, high = found.confidence_interval
    fixed = np.ptp(sample.values, axis=(1, 2)) < 10.0**-DECIMALS
    mean = row_means(sample)
    return np.where(fixed, mean, low), np.where(fixed, mean, high)


class _ResampledMean:
    """The rows' means over drawn clips and seeds, for `scipy.stats.bootstrap`.

    A draw is turned into how often each clip was drawn, so that all rows and draws are one matrix
    product.
    """

    def __init__(self, sample: Sample) -> None:
        values = sample.values
        num_rows, num_seeds, num_clips = values.shape
        self.strata = sample.strata
        self.shape = (num_rows, num_seeds)
        if seeds_vary(sample):
            mean = values.mean(1, keepdims=True)
            values = mean + np.sqrt(num_seeds / (num_seeds - 1)) * (values - mean)
            self.rows = values.reshape(num_rows * num_seeds, num_clips)
        else:
            self.rows = values.mean(1)

    def __call__(self, *drawn: Array, axis: int) -> Array:
        """Return (K, ...) means.

        Args:
            drawn: (..., n) numbers of drawn clips for every stratum, then of drawn seeds if they
                vary.
            axis: the last one.
        """
        clips, seeds = drawn[: len(self.strata)], drawn[len(self.strata) :]
        shares = [
            _shares(part, size) / len(self.strata)
            for part, size in zip(clips, self.strata, strict=True)
        ]
        batch = np.broadcast_shapes(*(draw.shape[:-1] for draw in drawn))
        weights = np.concatenate(
            [np.broadcast_to(share, (*batch, share.shape[-1])) for share in shares], axis=-1
        )
        means = self.rows @ weights.reshape(-1, weights.shape[-1]).T
        if seeds:
            by_seed = means.reshape(*self.shape, -1)
            share = np.broadcast_to(_shares(seeds[0], self.shape[1]), (*batch, self.shape[1]))
            means = np.einsum("ksr,rs->kr", by_seed, share.reshape(-1, self.shape[1]))
        resampled: Array = means.reshape(self.shape[0], *batch)
        return resampled


def _shares(drawn: Array, size: int) -> Array:
    """Return how often each of ``size`` numbers was drawn, as a share: (..., n) to (..., size)."""
    flat = drawn.reshape(-1, drawn.shape[-1])
    offsets = np.arange(len(flat))[:, None] * size
    counts = np.bincount((flat + offsets).ravel(), minlength=len(flat) * size)
    shares: Array = counts.reshape(*drawn.shape[:-1], size) / drawn.shape[-1]
    return shares
