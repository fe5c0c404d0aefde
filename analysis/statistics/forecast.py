"""How many seeds would find a difference, from the variances of runs that there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from analysis.runs.controls import Column
from analysis.runs.results import Results
from analysis.statistics.contrasts import contrast_of
from analysis.statistics.crossed_means import USUAL
from analysis.statistics.power import (
    MOST_CLIPS,
    MOST_SEEDS,
    Needed,
    detectable,
    needed,
    variances,
)

POINTS = 100
"""Of a metric from 0 to 1."""
Weights = Mapping[tuple[str, Column], float]
"""(cell, (split, metric)) -> weight of its score."""


class Forecast(NamedTuple):
    """What it takes to find an effect in one weighted sum of cells."""

    cells: tuple[str, ...]  # that it is of
    # Why nothing can be said; else empty. The other fields are None then.
    unknown: str
    seeds: int | None = None  # measured, in all its cells
    clips: int | None = None
    detects: float | None = None  # what these seeds and clips find, in points
    needed: Needed | None = None  # see `analysis.statistics.power.needed`


def forecast(
    results: Results,
    rows: Mapping[str, Weights],
    points: float,
) -> dict[str, Forecast]:
    """Forecast what finds a difference in every row, tested as one family by Holm's correction.

    Args:
        results: of finished runs, e.g. a pilot's.
        rows: name -> what is summed.
        points: the difference, in hundredths of a metric's range; of a metric without bounds in
            hundredths of its unit.
    """
    level = USUAL.alpha / max(1, len(rows))  # as the smallest p needs it
    return {name: _of(results, own, points, level) for name, own in rows.items()}


def against(cells: Iterable[str], reference: str, column: Column) -> dict[str, Weights]:
    """Return a row for every cell but the reference: how much it is above it."""
    return {
        cell: {(cell, column): 1.0, (reference, column): -1.0}
        for cell in cells
        if cell != reference
    }


def seeds_of_cells(forecasts: Mapping[str, Forecast]) -> dict[str, int]:
    """Return how many seeds each cell needs for all rows that it is in, where that is known."""
    found: dict[str, int] = {}
    for row in forecasts.values():
        if row.needed is not None and row.needed.seeds is not None:
            found |= {c: max(found.get(c, 0), row.needed.seeds) for c in row.cells}
    return found


def forecast_table(forecasts: Mapping[str, Forecast]) -> dict[tuple[str, str], str]:
    """Return cells of a table by row and column."""
    cells: dict[tuple[str, str], str] = {}
    for name, row in forecasts.items():
        shown = {"measured": f"{row.seeds} seeds, {row.clips} clips" if row.seeds else "nothing"}
        if row.needed is not None and row.detects is not None:
            seeds, clips = row.needed
            of_seeds = "unknown" if row.unknown else f"none up to {MOST_SEEDS}"
            shown["finds, points"] = f"{row.detects:.2f}"
            shown["seeds needed"] = of_seeds if seeds is None else str(seeds)
            shown["or clips"] = f"none up to {MOST_CLIPS}" if clips is None else str(clips)
        shown["not known"] = row.unknown
        cells |= {(name, column): text for column, text in shown.items()}
    return cells


def forecast_note(forecasts: Mapping[str, Forecast], points: float) -> str:
    """Say what the numbers of `forecast_table` are."""
    return (
        f"seeds or clips, in all, that find {points:g} points (hundredths of a metric's range) in "
        f"80 % of repetitions, by {len(forecasts)} tests as one family; both together may do "
        "where neither does alone"
    )


def _of(results: Results, weights: Weights, points: float, level: float) -> Forecast:
    cells = tuple(dict.fromkeys(cell for cell, _ in weights))
    if missing := [cell for cell in cells if cell not in results.cells]:
        return Forecast(cells, f"no finished run of {', '.join(map(repr, missing))}")
    if (sample := contrast_of(results, weights)) is None:
        return Forecast(cells, "no seed and clips that all its cells share")
    found = variances(sample)
    _, seeds, clips = sample.values.shape
    if not found.known:
        return Forecast(cells, "nothing varies, or there is one clip", seeds, clips)
    (_, metric), *_ = (column for _, column in weights)
    low, high = results.scale(metric).bounds or (0.0, 1.0)
    point = (high - low) / POINTS
    detects = detectable(found, seeds, clips, level) / point
    needs = needed(found, points * point, seeds, clips, level)
    unknown = "" if found.seed is not None else "one seed: how seeds vary is not known"
    return Forecast(cells, unknown, seeds, clips, detects, needs)
