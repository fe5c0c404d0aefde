"""From the bounds of a claim to what runs say of them, and what they lack to say so."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from analysis.claims.claim import Bound, Claim, as_names
from analysis.claims.decide import end_tests
from analysis.claims.verdict import Measured
from analysis.runs.results import Results
from analysis.runs.splits import derived_splits
from analysis.statistics.crossed_means import Settings
from analysis.statistics.score_arrays import Sample
from analysis.statistics.significance import infer_contrast
from auralsam2.messages import unknown_name


def grid_of(claim: Claim, grids: Mapping[str, Results], problems: list[str]) -> str | None:
    """Return the grid that has what a claim names; None, and why, where none has."""
    own = [name for name in grids if claim.speaks_of(name)]
    if not own:
        asked = " or ".join(as_names(claim.grids))
        problems.append(f"it is about a grid {asked!r}; there are: {', '.join(map(repr, grids))}")
        return None
    lacking = {name: _lacking(claim, grids[name]) for name in own}
    holding = [name for name in own if not lacking[name]]
    if len(holding) == 1:
        return holding[0]
    if holding:
        listed = ", ".join(map(repr, holding))
        problems.append(f"several grids have its cells ({listed}): say which one (grids=...)")
        return None
    several = len(own) > 1
    for name, said in lacking.items():
        problems += [f"{name}: {problem}" if several else problem for problem in said]
    return None


def _lacking(claim: Claim, results: Results) -> list[str]:
    """Say which cells, splits and metrics a claim names that have no scores."""
    named = dict.fromkeys(key for bound in claim.bounds(1) for key in bound.weights)
    held = results.scores[["cell", "split", "metric"]].drop_duplicates()
    scored = set(held.itertuples(index=False, name=None))
    derived = derived_splits(results)
    splits = [*dict.fromkeys(held["split"]), *derived]
    metrics = list(dict.fromkeys(held["metric"]))
    said: dict[str, None] = {}
    for cell, (split, metric) in named:
        own = [
            unknown_name(kind, name, known)
            for kind, name, known in (
                ("cell with a finished run", cell, results.cells),
                ("split", split, splits),
                ("metric", metric, metrics),
            )
            if name not in known
        ]
        parts = derived.get(split, (split,))
        if not own and not all((cell, part, metric) in scored for part in parts):
            own = [f"{cell!r} has no {metric} on {split}"]
        said |= dict.fromkeys(own)
    return list(said)


def measure(
    claim: Claim, results: Results, settings: Settings, problems: list[str]
) -> tuple[Measured, ...]:
    """Return what runs say of every bound of a claim; of some nothing, and ``problems`` say why."""
    measured = []
    for bound in claim.bounds(results.scale(claim.metric).sign):
        contrast = infer_contrast(results, bound.weights, settings)
        if contrast is None:
            problems.append(f"{bound.words}: no seed has scores of the same clips in all of them")
            continue
        sample, found = contrast
        tests, remark = end_tests(bound, sample, settings), _remark(bound, sample, found, results)
        mean, low, high = (found[name] for name in ("difference", "low", "high"))
        measured.append(Measured(bound, sample, mean, low, high, tests, remark))
    return tuple(measured)


def _remark(bound: Bound, sample: Sample, found: Mapping[str, Any], results: Results) -> str:
    """Say why nothing can be tested, or that some cells have seeds that others lack."""
    if math.isnan(found["low"]):
        return str(found["remark"])
    own = results.runs[results.runs["cell"].isin({cell for cell, _ in bound.weights})]
    shared, seeds = sample.values.shape[1], own["seed"].nunique()
    return f"{shared} of {seeds} seeds are in all its cells" if shared < seeds else ""
