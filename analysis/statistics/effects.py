"""Main effects and two-way interactions with intervals and tests, over crossed seeds and clips.

Several contrasts are also tested together: does an axis, or the interaction of two, matter at all?
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from analysis.runs.controls import Column, is_control
from analysis.runs.results import Results
from analysis.runs.splits import table_columns
from analysis.statistics.contrasts import contrasts
from analysis.statistics.crossed_means import (
    CLIPS,
    USUAL,
    Settings,
    mean_squares,
    row_means,
    varies,
)
from analysis.statistics.factorial import (
    INTERACTION,
    MAIN,
    Effect,
    Factorial,
    effects,
    factorial,
    joint_contrasts,
)
from analysis.statistics.score_arrays import Sample, complete_groups, score_arrays
from analysis.statistics.significance import compare_contrasts, holm

_SMALLEST_LOG_P = -300.0  # the quantiles of F are still numbers
NO_AXES = "the grid has no two axes whose levels meet: the table's differences say all"


class JointTest(NamedTuple):
    """An F-test; NaN where nothing varies, or a stratum has one clip."""

    statistic: float  # mean square of the rows' means over its variance
    rows: int  # K, its first degrees of freedom
    p: float  # of all means being zero


class GridEffects(NamedTuple):
    """What a grid's axes do."""

    design: Factorial  # of its cells
    effects: tuple[Effect, ...]  # main effects, then interactions
    columns: tuple[Column, ...]  # that are no controls
    # One row an effect and column: effect (its name), and what `significance.compare` has behind
    # the cell; main effects of a column are one family of Holm's correction, interactions another.
    found: pd.DataFrame
    # One row an axis or pair of axes and column: axes (joined by " × "), kind, split, metric,
    # statistic, rows (of `JointTest`), p, p_holm, significant; families likewise. None where the
    # grid is not full.
    joint: pd.DataFrame
    notes: tuple[str, ...]  # what a reader must know


def grid_effects(results: Results, settings: Settings = USUAL) -> GridEffects | None:
    """Estimate main effects and two-way interactions on all columns that are no controls.

    Returns:
        None where no two axes vary, or no level can be compared.
    """
    design = factorial(results)
    if design is None or not (listed := effects(design)):
        return None
    columns = [c for c in table_columns(results) if not is_control(c[0])]
    rows = {effect.name: effect.weights for effect in listed}
    families = {effect.name: effect.kind for effect in listed}
    found = compare_contrasts(results, columns, rows, settings, families=families)
    if found.empty:
        return None
    missing = {(name, *column) for name in rows for column in columns}
    missing -= set(found[["cell", "split", "metric"]].itertuples(index=False, name=None))
    notes = [*design.notes, *(f"{n}: its cells share no {m} on {s}" for n, s, m in sorted(missing))]
    return GridEffects(
        design,
        tuple(listed),
        tuple(columns),
        found.rename(columns={"cell": "effect"}),
        _joint(results, design, columns, settings),
        tuple(notes),
    )


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


def _joint(
    results: Results, design: Factorial, columns: Sequence[Column], settings: Settings
) -> pd.DataFrame:
    rows: list[tuple[Any, ...]] = []
    arrays = score_arrays(results, columns) if design.full else {}
    for column, array in arrays.items():
        for size, kind in ((1, MAIN), (2, INTERACTION)):
            for axes in combinations(design.levels, size):
                groups = complete_groups(contrasts({column: array}, joint_contrasts(design, axes)))
                own = (" × ".join(axes), kind, *column)
                rows += [(*own, *joint_test(group.sample, settings)) for group in groups]
    frame = pd.DataFrame(
        rows, columns=["axes", "kind", "split", "metric", "statistic", "rows", "p"]
    )
    for _, family in frame.groupby(["kind", "split", "metric"], sort=False):
        frame.loc[family.index, "p_holm"] = holm(family["p"].tolist())
    return frame.assign(significant=frame["p_holm"] < settings.alpha if len(frame) else False)
