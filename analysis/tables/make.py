"""Runs to the numbers of a table."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from analysis.runs.conditions import unequal_columns
from analysis.runs.controls import Column, is_control
from analysis.runs.measures import EXTRA_COLUMNS, chosen_columns
from analysis.runs.reported import ReportedRow
from analysis.runs.results import WHOLE, Results
from analysis.runs.splits import derived_splits, has_best, table_columns, table_means
from analysis.statistics.crossed_means import USUAL, Settings
from analysis.statistics.significance import (
    compare,
    mean_intervals,
    paired_differences,
)
from auralsam2.messages import unknown_name

DECIMALS = 3
SMALL = 0.01
"""Means that are all below it are printed with as many digits of their own."""
SPREADS = ("std", "interval")


def measured_columns(results: Results) -> list[str]:
    """Return the columns that some run has a number for, but for what few ask."""
    held = results.runs.dropna(axis="columns", how="all").columns
    return [n for n, column in EXTRA_COLUMNS.items() if column.usual and column.source in held]


@dataclass(frozen=True)
class Table:
    """Mean and spread over seeds; rows are cells, columns are (split, metric)."""

    # Over seeds of the mean over clips; of metrics with `WHOLE`, of what runs report of a split.
    mean: pd.DataFrame
    std: pd.DataFrame  # sample standard deviation over seeds, NaN for one seed
    count: pd.DataFrame  # number of seeds
    # Mean over common seeds and clips of cell minus reference, for splits that are no controls;
    # None where not asked for.
    difference: pd.DataFrame | None
    results: Results  # what it is made of
    seed_means: pd.DataFrame  # of `splits.table_means`
    # Of the means, as of `significance.mean_intervals`; None where standard deviations are shown.
    intervals: pd.DataFrame | None = None
    # As of `significance.compare`; None where nothing was tested.
    comparison: pd.DataFrame | None = None
    settings: Settings = USUAL  # of intervals and tests
    # Rows are cells, columns names of `EXTRA_COLUMNS`; NaN where no run recorded the number.
    extras: pd.DataFrame = field(default_factory=pd.DataFrame)
    reported: tuple[ReportedRow, ...] = ()  # rows of other papers


def make_table(
    results: Results,
    *,
    difference: bool = False,
    significance: bool = False,
    spread: str = "std",
    columns: Sequence[str] = (),
    scores: Sequence[str] = (),
    reported: Sequence[ReportedRow] = (),
    settings: Settings = USUAL,
) -> Table:
    """Summarise runs over their seeds.

    Args:
        results: the runs.
        difference: also show every cell's difference from the grid's reference cell.
        significance: test these differences, and mark what is significant.
        spread: ``"std"`` over seeds or ``"interval"`` of the mean.
        columns: names of `EXTRA_COLUMNS`, or of `EACH_PART` for all columns of parts.
        scores: ``SPLIT:METRIC`` of the columns to show, in order; none for all that say something.
        reported: rows of other papers.
        settings: of intervals and tests.

    Raises:
        ValueError: for an unknown spread, column or score, and where a comparison is asked for
            and the grid names no reference, or the reference has no finished run.
    """
    means = table_means(results)
    if len(results.whole):
        means = pd.concat([means, results.whole], ignore_index=True)
    wide = means.pivot(index=["cell", "seed"], columns=["split", "metric"], values="value")
    if problems := _problems(spread, columns, scores, pairs(wide)):
        raise ValueError("\n".join(problems))
    wide = wide[_shown(table_columns(results, means), pairs(wide), scores)]
    compared = [
        (split, metric)
        for split, metric in pairs(wide)
        if not is_control(split) and not metric.endswith(WHOLE)
    ]
    comparison = compare(results, compared, settings) if significance else None
    by_cell = wide.groupby(level="cell", sort=False)
    rows = list(results.cells)
    return Table(
        mean=by_cell.mean().reindex(rows),
        std=by_cell.std(ddof=1).reindex(rows),
        count=by_cell.count().reindex(rows, fill_value=0),
        difference=_difference(results, compared, comparison) if difference else None,
        results=results,
        seed_means=means,
        intervals=mean_intervals(results, pairs(wide), settings) if spread == "interval" else None,
        comparison=comparison,
        settings=settings,
        extras=_extra_values(results, _chosen(results, columns)),
        reported=tuple(reported),
    )


def best_cells(table: Table) -> pd.DataFrame:
    """Return where a column's best mean stands, as it is printed.

    One number alone is not best, nor is any where the runs of a column have scores of different
    clips, and controls have no best but for false area.
    """
    derived = derived_splits(table.results)
    unequal = unequal_columns(table.results.scores)
    printed = table.mean.round({pair: decimals(table, pair[1]) for pair in pairs(table.mean)})
    best = printed.eq(printed.max())
    for split, metric in pairs(best):
        if not table.results.scale(metric).higher_is_better:
            best[(split, metric)] = printed[(split, metric)].eq(printed[(split, metric)].min())
        parts = derived.get(split, (split,))
        comparable = not any((part, metric) in unequal for part in parts)
        alone = printed[(split, metric)].count() < 2
        if alone or not comparable or not has_best(table.results, split, metric):
            best[(split, metric)] = False
    return best


def decimals(table: Table, metric: str) -> int:
    """Return how many digits of a metric are printed behind the point."""
    return digits(table.mean[[pair for pair in pairs(table.mean) if pair[1] == metric]])


def digits(values: pd.DataFrame | pd.Series) -> int:
    """Return how many digits of numbers are printed behind the point."""
    largest = np.nanmax(np.abs(values.to_numpy(float)), initial=0.0)
    return DECIMALS - 1 - math.floor(math.log10(largest)) if 0 < largest < SMALL else DECIMALS


def pairs(frame: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the columns of one of a table's frames: (split, metric)."""
    columns: list[Any] = frame.columns.to_list()
    return [(str(split), str(metric)) for split, metric in columns]


def _problems(
    spread: str, columns: Sequence[str], scores: Sequence[str], held: Collection[Column]
) -> list[str]:
    problems = [] if spread in SPREADS else [unknown_name("spread", spread, SPREADS)]
    try:
        chosen_columns(columns, ())
    except ValueError as error:
        problems.append(str(error))
    known = [f"{split}:{metric}" for split, metric in held]
    return problems + [unknown_name("score", name, known) for name in scores if name not in known]


def _shown(usual: Sequence[Column], held: Sequence[Column], scores: Sequence[str]) -> list[Column]:
    if not scores:
        both = [(split, f"{metric}{end}") for split, metric in usual for end in ("", WHOLE)]
        return [column for column in both if column in held]
    known = {f"{split}:{metric}": (split, metric) for split, metric in held}
    return [known[score] for score in dict.fromkeys(scores)]


def _difference(
    results: Results, compared: Sequence[Column], comparison: pd.DataFrame | None
) -> pd.DataFrame:
    paired = paired_differences(results, compared) if comparison is None else comparison
    wide = paired.pivot(index="cell", columns=["split", "metric"], values="difference")
    columns = pd.MultiIndex.from_tuples(list(compared), names=["split", "metric"])
    return wide.reindex(index=list(results.cells), columns=columns).astype(float)


def _chosen(results: Results, columns: Sequence[str]) -> list[str]:
    counted = results.runs.replace(0, math.nan).dropna(axis="columns", how="all").columns
    return chosen_columns(columns, [str(name) for name in counted])


def _extra_values(results: Results, names: Sequence[str]) -> pd.DataFrame:
    """Average the named columns over the runs of each cell."""
    values = pd.DataFrame(index=pd.Index(results.cells), dtype=float)
    for name in names:
        column = EXTRA_COLUMNS[name]
        values[name] = math.nan
        if column.source in results.runs:
            numbers = results.runs[column.source].astype(float) * column.scale
            values[name] = numbers.groupby(results.runs["cell"]).mean()
    return values
