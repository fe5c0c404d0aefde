"""What corruptions cost the runs of a grid: scores against strength, in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import pandas as pd

from analysis.measured_runs import MeasuredRuns, measure_runs
from analysis.robustness.asked import build
from analysis.robustness.scores import CLEAN, RunRobustness, RunScores, Scales
from analysis.runs.results import COLUMNS, Results
from analysis.statistics.significance import mean_intervals
from auralsam2.data.corruptions.base import order

MEAN = "mean"
"""In the place of a strength: the mean over all that change something."""
CURVES = (
    *("cell", "corruption", "strength", "metric", "mean", "low", "high"),
    *("change", "change_low", "change_high", "varies", "num_seeds", "num_clips"),
)
"""Columns of `curves`: the mean over seeds and clips with its 95 % interval, and the same of what
it has changed by since the clean clips, paired by seed and clip."""


class Axis(NamedTuple):
    """One corruption, as figures and tables show it."""

    corruption: str  # its type
    title: str  # in words
    label: str  # what its strengths are, with their unit
    unit: str  # of the strengths
    strengths: tuple[float, ...]  # in the order of an axis, the clean one among them
    clean: float  # the one that changes nothing


class MeasuredRobustness(NamedTuple):
    """What came out."""

    runs: MeasuredRuns[RunScores]  # the runs' scores
    curves: pd.DataFrame  # columns `CURVES`; ``strength`` may be `MEAN`
    axes: tuple[Axis, ...]  # corruptions that some run has scores of
    deaf: tuple[str, ...]  # cells that hear nothing

    @property
    def metrics(self) -> tuple[str, ...]:
        """In the order of the runs' scores."""
        return tuple(dict.fromkeys(self.curves["metric"]))

    @property
    def problems(self) -> list[str]:
        """What was left out and why, and what a reader must know."""
        said = list(self.runs.left_out)
        if self.deaf:
            said.append(
                f"{', '.join(self.deaf)}: hear nothing, so that corruptions of sound were not "
                "run: their clean scores stand there"
            )
        reasons: dict[tuple[str, str], list[str]] = {}
        for (cell, seed), scores in self.runs.found.items():
            for corruption, why in scores.left_out.items():
                reasons.setdefault((corruption, why), []).append(f"{cell}, seed {seed}")
        return said + [
            f"{corruption}: left out of {len(runs)} runs, {runs[0]} first: {why}"
            for (corruption, why), runs in reasons.items()
        ]


def measure(results: Results, robustness: RunRobustness, **how: Any) -> MeasuredRobustness:
    """Score runs under corruptions where they lie; see `analysis.measured_runs.measure_runs`."""
    runs = measure_runs(results, robustness, **how)
    found = {one for scores in runs.found.values() for one in scores.scores["corruption"]}
    axes = tuple(
        _axis(str(node["type"]), build(node), strengths)
        for node, strengths in robustness.corruptions
        if node["type"] in found
    )
    deaf = dict.fromkeys(cell for (cell, _), scores in runs.found.items() if not scores.hears)
    return MeasuredRobustness(runs, curves(results, runs, axes), axes, tuple(deaf))


def curves(results: Results, runs: MeasuredRuns[RunScores], axes: Sequence[Axis]) -> pd.DataFrame:
    """Average over seeds and clips, which are crossed, at every strength and over all of them."""
    if not runs.found:
        return pd.DataFrame(columns=list(CURVES))
    scores = pd.concat(
        [_tidy(of.scores, axes).assign(cell=c, seed=s) for (c, s), of in runs.found.items()],
        ignore_index=True,
    )
    point = ["corruption", "strength"]
    scores["split"] = scores.groupby(point, sort=False).ngroup().astype(str)
    scales: Scales = {}
    for of in runs.found.values():
        scales |= of.scales
    unbounded = {metric: scale._replace(bounds=None) for metric, scale in scales.items()}
    means = _intervals(results, scores, scales)
    changes = _intervals(results, scores.assign(value=scores["change"]), unbounded)
    changes = changes.rename(columns={"mean": "change", "low": "change_low", "high": "change_high"})
    keys = ["cell", "split", "metric"]
    means = means.merge(changes[[*keys, "change", "change_low", "change_high"]], on=keys)
    return means.merge(scores[["split", *point]].drop_duplicates(), on="split")[list(CURVES)]


def _axis(name: str, corruption: Any, strengths: Sequence[float]) -> Axis:
    shown = tuple(order(corruption, strengths))
    unit = corruption.unit
    label = corruption.measure + (f" ({unit.strip()})" if unit else "")
    return Axis(name, corruption.title, label, unit, shown, corruption.clean)


def _tidy(scores: pd.DataFrame, axes: Sequence[Axis]) -> pd.DataFrame:
    """Return columns corruption, strength, clip, metric, value, change of one run's scores.

    The clean clips stand in every corruption, at its clean strength; `MEAN` is over the others.
    """
    long = scores.melt(["corruption", "strength", "clip"], None, "metric").dropna()
    clean = long[long["corruption"] == CLEAN].drop(columns=["corruption", "strength"])
    parts = [clean.assign(corruption=CLEAN, strength=MEAN)]
    for axis in axes:
        own = long[long["corruption"] == axis.corruption]
        if own.empty:
            continue
        over = own.groupby(["clip", "metric"], sort=False)["value"].mean().reset_index()
        parts += [own, clean.assign(strength=axis.clean), over.assign(strength=MEAN)]
        for part in parts[-2:]:
            part["corruption"] = axis.corruption
    tidy = pd.concat(parts, ignore_index=True)
    known = clean.set_index(["clip", "metric"])["value"]
    before = known.reindex(pd.MultiIndex.from_frame(tidy[["clip", "metric"]])).to_numpy()
    return tidy.assign(change=tidy["value"] - before)


def _intervals(results: Results, scores: pd.DataFrame, scales: Scales) -> pd.DataFrame:
    """Return `mean_intervals` of scores whose splits are points of curves."""
    splits = tuple(dict.fromkeys(scores["split"]))
    cells = tuple(cell for cell in results.cells if cell in set(scores["cell"]))
    own: dict[str, Any] = {"splits": splits, "cells": cells, "metrics": tuple(scales)}
    of_points = replace(results, scores=scores[list(COLUMNS)], scales=scales, **own)
    return mean_intervals(of_points, [(split, metric) for metric in scales for split in splits])
