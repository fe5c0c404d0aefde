"""Several contrasts tested together: does an axis, or the interaction of two, matter at all?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analysis.statistics.crossed_means import (
    CLIPS,
    Settings,
    mean_squares,
    row_means,
    varies,
)
from analysis.statistics.score_arrays import Sample

_SMALLEST_LOG_P = -300.0  # the quantiles of F are still numbers


class JointTest(NamedTuple):
    """An F-test; NaN where nothing varies, or a stratum has one clip."""

    statistic: float  # mean square of the rows' means over its variance
    rows: int  # K, its first degrees of freedom
    p: float  # of all means being zero


def joint_test(sample: Sample, settings: Settings) -> JointTest:
    """Test whether the means of K rows, orthonormal contrasts, are zero together.

    The rule of `crossed_means` for one row, with F where that has the square of Student's t: the
    variances by seeds, clips and rest are averaged over the rows, which assumes that all of them
    vary alike (sphericity). Where clips alone vary it is the F-test of repeated measures with
    clips as subjects (`statsmodels.stats.anova.AnovaRM`).
    """
    from scipy import optimize, stats

    num_rows, num_seeds, _ = sample.values.shape
    seeds, by_clips, rest, df_clips = (float(np.sum(part)) for part in mean_squares(sample))
    by_seeds, whole = 0.0, by_clips
    if varies(sample, settings) != CLIPS:
        by_seeds, whole = seeds, max(seeds + by_clips - rest, seeds, by_clips, rest)
    if not whole > 1e-20 * float((sample.values**2).max()):  # but for rounding, nothing varies
        return JointTest(np.nan, num_rows, np.nan)
    statistic = float((row_means(sample) ** 2).sum()) / whole

    shares = [(by_seeds, num_rows * (num_seeds - 1)), (whole - by_seeds, df_clips)]

    def missing(log_p: float) -> float:
        of_f = [v * stats.f.isf(np.exp(log_p), num_rows, df) for v, df in shares if v > 0]
        return float(sum(of_f)) / whole - statistic

    beyond = missing(_SMALLEST_LOG_P) < 0
    log_p = _SMALLEST_LOG_P if beyond else optimize.brentq(missing, _SMALLEST_LOG_P, 0.0)
    return JointTest(statistic, num_rows, float(np.exp(log_p)))
