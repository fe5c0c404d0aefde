"""Every cell of a grid against the reference cell: difference, interval, test, detectable effect.

What is computed, and what few seeds mean: ``docs/statistics.md``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.runs.controls import Column
from analysis.runs.results import Results
from analysis.statistics.contrasts import Weights, contrast_of, contrasts
from analysis.statistics.crossed_means import (
    USUAL,
    Settings,
    intervals,
    p_values,
    row_means,
    spread,
    varies,
)
from analysis.statistics.power import detectable, row_variances
from analysis.statistics.score_arrays import Group, Sample, complete_groups, score_arrays

KEYS = ("cell", "split", "metric")
COUNTS = ("num_seeds", "num_clips", "num_runs")
INFERRED = ("low", "high", "p", "p_holm", "significant", "detectable")
COMPARED = (*KEYS, "difference", *INFERRED, "standard_error", "df", "varies", *COUNTS, "remark")
"""Columns of `compare`."""

INTERVALS = (*KEYS, "mean", "low", "high", "varies", *COUNTS, "remark")
"""Columns of `mean_intervals`."""

ONE_CLIP = "of a single clip nothing can be said"
NO_SPREAD = "the same on every clip and with every seed: how it would vary is not known"
AT_THE_END = "it would go on where the metric cannot"
"""Remarks: why there is no interval and no test, or that an interval is cut."""


def reference_problem(results: Results) -> str | None:
    """Return why nothing can be compared, and what to do; None where it can."""
    choose = "choose one (--reference CELL)"
    if results.reference is None:
        return f"no reference cell is named, or several folders name different ones: {choose}"
    if results.reference not in results.cells:
        return f"the reference cell {results.reference!r} has no finished run: {choose}"
    return None


def can_be_tested(results: Results) -> bool:
    """Return whether cells can be tested; where several cannot, a note says why."""
    if len(results.cells) < 2:
        return False
    if (problem := reference_problem(results)) is not None:
        results.notes.append(f"nothing is tested for significance: {problem}")
    return problem is None


def reference_cell(results: Results) -> str:
    """Return the cell that the others are compared with.

    Raises:
        ValueError: where there is none, or it has no finished run.
    """
    if (problem := reference_problem(results)) is not None:
        raise ValueError(problem)
    return str(results.reference)


def paired_differences(results: Results, columns: Sequence[Column]) -> pd.DataFrame:
    """Average cell minus reference over the clips and seeds that both have.

    Returns:
        Columns cell, split, metric, difference, num_seeds, num_clips, num_runs; no row for the
        reference, nor for a cell that shares no seed with it.

    Raises:
        ValueError: of `reference_cell`.
    """

    def infer(group: Group) -> dict[str, Any]:
        return {"difference": row_means(group.sample)}

    return _frame(_groups(results, columns, _others(results)), infer, 2)


def compare(
    results: Results, columns: Sequence[Column], settings: Settings = USUAL
) -> pd.DataFrame:
    """Compare every cell with the reference, paired by clip and seed.

    The cells of one column are one family of Holm's correction.

    Returns:
        The columns of `paired_differences`, and: low, high (interval, not corrected: it leaves
        zero out where p is below 1 - confidence), p, p_holm, significant, standard_error, df (of
        its square), detectable (the smallest true difference found with the stated power at level
        alpha / cells, which is what Holm asks of the smallest p; infinite where the metric cannot
        differ by so much), varies (``"clips"`` or
        ``"clips and seeds"``: what interval and test speak of), remark (why there is neither, or
        that the interval ends where differences do; else empty).

    Raises:
        ValueError: of `reference_cell`.
    """
    return compare_contrasts(results, columns, _others(results), settings)


def compare_contrasts(
    results: Results,
    columns: Sequence[Column],
    rows: Mapping[str, Weights],
    settings: Settings = USUAL,
    *,
    families: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Test contrasts of cells, whose weights sum to zero, on every column.

    Args:
        results: the runs.
        columns: splits and metrics.
        rows: name -> weights of the cells.
        settings: of intervals and tests.
        families: name -> family of Holm's correction, for each column; None for one of all.

    Returns:
        As `compare`; names of contrasts stand in the place of cells. No row where a contrast's
        cells share no seed and clip.
    """

    def infer(group: Group) -> dict[str, Any]:
        least, most = _bounds(results, group)
        weights = [sum(map(abs, rows[name].values())) / 2 for _, name in group.labels]
        return infer_difference(group.sample, settings, (most - least) * weights)

    frame = _frame(_groups(results, columns, rows), infer, 1)
    frame["num_runs"] *= frame["cell"].map({name: len(weights) for name, weights in rows.items()})
    frame = frame.reindex(columns=[*COMPARED, "variances", "widest"])
    family_of = frame["cell"].map(families or dict.fromkeys(rows, ""))
    for _, family in frame.groupby(["split", "metric", family_of], sort=False):
        frame.loc[family.index, ["p_holm", "detectable"]] = _correct(family, settings)
    frame["significant"] = frame["p_holm"] < settings.alpha
    return frame[list(COMPARED)]


def mean_intervals(
    results: Results, columns: Sequence[Column], settings: Settings = USUAL
) -> pd.DataFrame:
    """Return the interval of every cell's own mean, over the clips that all its seeds have.

    Returns:
        Columns cell, split, metric, mean, low, high, varies, num_seeds, num_clips, num_runs,
        remark (why there is none; else empty).
    """

    def infer(group: Group) -> dict[str, Any]:
        least, most = _bounds(results, group)
        low, high = intervals(group.sample, settings, low=least, high=most)
        return {
            "mean": row_means(group.sample),
            "low": low,
            "high": high,
            "varies": varies(group.sample, settings),
            "remark": _unknown(group.sample, low),
        }

    frame = _frame(complete_groups(score_arrays(results, columns)), infer, 1)
    return frame.reindex(columns=list(INTERVALS))


def holm(p: Sequence[float]) -> list[float]:
    """Return Holm-corrected p-values; those that are no numbers stay so and do not count."""
    values = np.asarray(p, dtype=float)
    order = np.argsort(values)[: np.count_nonzero(~np.isnan(values))]  # NaN come last
    corrected = np.full(len(values), np.nan)
    steps = values[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return [float(value) for value in corrected]


def infer_difference(sample: Sample, settings: Settings, widest: Any) -> dict[str, Any]:
    """Return the columns of `compare` that each row has by itself, and its variances.

    ``widest`` (K,) is how large a row's mean can be; intervals end there.
    """
    found = spread(sample, settings)
    ends = np.array(intervals(sample, settings))
    low, high = np.clip(ends, -widest, widest)
    cut = (low > ends[0]) | (high < ends[1])
    return {
        "difference": row_means(sample),
        "low": low,
        "high": high,
        "p": p_values(sample, settings),
        "variances": row_variances(sample, settings.over),
        "standard_error": found.standard_error,
        "df": found.df,
        "varies": varies(sample, settings),
        "widest": widest,
        "remark": np.where(cut, AT_THE_END, _unknown(sample, low)),
    }


def infer_row(sample: Sample, settings: Settings, widest: float) -> dict[str, Any]:
    """Return difference, low, high, p, varies and remark of a sample of one row; see `compare`."""
    found = infer_difference(sample, settings, np.array([widest]))
    names = ("difference", "low", "high", "p", "varies", "remark")
    return {name: np.ravel(found[name]).tolist()[0] for name in names}


def infer_contrast(
    results: Results, weights: Mapping[tuple[str, Column], float], settings: Settings
) -> tuple[Sample, dict[str, Any]] | None:
    """Return a contrast of cells on columns of one metric, and what `infer_row` has of it.

    None where nothing is shared.
    """
    if (sample := contrast_of(results, weights)) is None:
        return None
    _, (_, metric) = next(iter(weights))
    least, most = results.scale(metric).ends
    widest = (most - least) * sum(map(abs, weights.values())) / 2
    return sample, infer_row(sample, settings, widest)


def _others(results: Results) -> dict[str, Weights]:
    """Return every other cell minus the reference."""
    reference = reference_cell(results)
    return {cell: {cell: 1.0, reference: -1.0} for cell in results.cells if cell != reference}


def _groups(
    results: Results, columns: Sequence[Column], rows: Mapping[str, Weights]
) -> Iterator[Group]:
    return complete_groups(contrasts(score_arrays(results, columns), rows))


def _bounds(results: Results, group: Group) -> tuple[Any, Any]:
    """Return (K,) least and largest scores that the rows' metrics can have."""
    ends = np.array([results.scale(metric).ends for (_, metric), _ in group.labels])
    return ends[:, 0], ends[:, 1]


def _unknown(sample: Sample, low: Any) -> Any:
    """Return (K,) why a row has no interval and no test; empty where it has a ``low`` end."""
    return np.where(np.isnan(low), ONE_CLIP if min(sample.strata) < 2 else NO_SPREAD, "")


def _correct(family: pd.DataFrame, settings: Settings) -> Any:
    """Return (n, 2) corrected p-values and detectable differences of one family.

    A difference beyond the largest that the metric can have is infinite.
    """
    corrected = holm(family["p"].tolist())
    tests = max(1, int(family["p"].notna().sum()))
    level = settings.alpha / tests
    rows = zip(family["variances"], family["num_seeds"], family["num_clips"], strict=True)
    smallest = np.array(
        [detectable(found, s, c, level, settings.power) for found, s, c in rows], float
    )
    possible = np.where(smallest > family["widest"].to_numpy(float), np.inf, smallest)
    return np.stack([np.asarray(corrected), possible], axis=1)


def _frame(groups: Iterator[Group], infer: Any, runs_a_seed: int) -> pd.DataFrame:
    """Return one row for every row of every group, in the order of columns and cells."""
    parts = []
    for group in groups:
        _, num_seeds, num_clips = group.sample.values.shape
        keys = [(cell, *column) for column, cell in group.labels]
        counts = (num_seeds, num_clips, runs_a_seed * num_seeds)
        part = pd.DataFrame(keys, columns=list(KEYS))
        parts.append(part.assign(**infer(group), **dict(zip(COUNTS, counts, strict=True))))
    if not parts:
        return pd.DataFrame(columns=[*KEYS, "difference", *COUNTS])
    return pd.concat(parts, ignore_index=True)
