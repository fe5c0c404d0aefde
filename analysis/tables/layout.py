"""What stands in each entry of a table, before it is typeset."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from analysis.runs.controls import base_split, metric_header, split_header
from analysis.statistics.significance import CLIPS_AND_SEEDS
from analysis.tables.extra_columns import EXTRA_COLUMNS, three_digits
from analysis.tables.make import Table, best_cells, decimals, pairs

STAR = "*"
DAGGER = "†"


class Notation(NamedTuple):
    """How numbers are written."""

    plus_minus: str = " ± "  # between mean and standard deviation
    absent: str = "–"  # where there is no number
    minus: str = "-"  # sign
    plus: str = "+"  # sign

    def signed(self, value: float, digits: int) -> str:
        """Return a difference."""
        sign = self.minus if value < 0 else self.plus
        return f"{sign}{abs(value):.{digits}f}"


class Header(NamedTuple):
    """A column's header."""

    group: str  # what columns side by side share; may be empty
    name: str  # within the group
    flat: str  # in one line
    difference: bool = False  # whether the column compares


class Entry(NamedTuple):
    """A number as printed."""

    text: str  # with its spread
    mark: str = ""  # `STAR`, `DAGGER` or nothing
    best: bool = False  # of its column


class Row(NamedTuple):
    """A row."""

    name: str  # of the cell, or of the method of another paper
    entries: list[Entry]  # one a header
    reported: bool = False  # whether it is another paper's


class Layout(NamedTuple):
    """A table's entries."""

    headers: list[Header]  # of the columns: scores, extras, seeds, differences
    rows: list[Row]  # cells in order, then rows of other papers
    num_differences: int  # how many at the end are differences


def lay_out(table: Table, notation: Notation | None = None) -> Layout:
    """Return what stands in a table."""
    notation = notation or Notation()
    scores = pairs(table.mean)
    differences = [] if table.difference is None else pairs(table.difference)
    columns = _score_entries(table, notation)
    extras = [
        [Entry(notation.absent if pd.isna(v) else three_digits(v)) for v in table.extras[name]]
        for name in table.extras
    ]
    seeds = [Entry(str(n)) for n in table.count.max(axis=1)]
    columns = [*columns, *extras, seeds, *_difference_entries(table, notation)]
    rows = [
        Row(str(cell), [column[index] for column in columns])
        for index, cell in enumerate(table.mean.index)
    ]
    empty = len(columns) - len(scores)
    for row in table.reported:
        own = [
            Entry(
                f"{row.scores[pair]:.{decimals(table, pair[1])}f}"
                if pair in row.scores
                else notation.absent
            )
            for pair in scores
        ]
        rows.append(Row(row.method, own + [Entry(notation.absent)] * empty, reported=True))
    return Layout(_headers(table, scores, differences), rows, len(differences))


def marks(table: Table) -> dict[tuple[str, str, str], str]:
    """Return (cell, split, metric) -> mark of what differs significantly from the reference."""
    if table.comparison is None:
        return {}
    found = table.comparison[table.comparison["significant"].astype(bool)]
    return {
        (str(row["cell"]), str(row["split"]), str(row["metric"])): STAR
        if row["varies"] == CLIPS_AND_SEEDS
        else DAGGER
        for row in found.to_dict("records")
    }


def _headers(
    table: Table, scores: list[tuple[str, str]], differences: list[tuple[str, str]]
) -> list[Header]:
    single = len({base_split(split) for split, _ in scores}) == 1

    def flat(split: str, metric: str) -> str:
        name = metric_header(split, metric)
        return name if single else f"{split_header(base_split(split))} {name}"

    headers = [Header(split_header(split), metric, flat(split, metric)) for split, metric in scores]
    names = [EXTRA_COLUMNS[str(name)].header for name in table.extras]
    headers += [Header("", name, name) for name in (*names, "seeds")]
    against = f"vs {table.results.reference}"
    return headers + [
        Header(f"{split_header(split)} {against}", metric, f"{flat(split, metric)} {against}", True)
        for split, metric in differences
    ]


def _score_entries(table: Table, notation: Notation) -> list[list[Entry]]:
    marked, best = marks(table), best_cells(table)
    bounds = _bounds(table.intervals)
    columns = []
    for pair in pairs(table.mean):
        entries, digits = [], decimals(table, pair[1])
        for index, cell in enumerate(table.mean.index):
            mean, std = table.mean[pair].iloc[index], table.std[pair].iloc[index]
            text = notation.absent if pd.isna(mean) else f"{mean:.{digits}f}"
            if (interval := bounds.get((str(cell), *pair))) is not None:
                text += f" [{interval[0]:.{digits}f}, {interval[1]:.{digits}f}]"
            elif table.intervals is None and not pd.isna(std):
                text += f"{notation.plus_minus}{std:.{digits}f}"
            is_best = bool(best[pair].iloc[index])
            entries.append(Entry(text, marked.get((str(cell), *pair), ""), is_best))
        columns.append(entries)
    return columns


def _difference_entries(table: Table, notation: Notation) -> list[list[Entry]]:
    if table.difference is None:
        return []
    marked, bounds = marks(table), _bounds(table.comparison)
    columns = []
    for pair in pairs(table.difference):
        entries, digits = [], decimals(table, pair[1])
        for cell, value in table.difference[pair].items():
            text = notation.absent if pd.isna(value) else notation.signed(value, digits)
            if (interval := bounds.get((str(cell), *pair))) is not None:
                low, high = (notation.signed(end, digits) for end in interval)
                text += f" [{low}, {high}]"
            entries.append(Entry(text, marked.get((str(cell), *pair), "")))
        columns.append(entries)
    return columns


def _bounds(frame: pd.DataFrame | None) -> dict[tuple[str, str, str], tuple[float, float]]:
    """Return (cell, split, metric) -> interval, where there is one."""
    if frame is None:
        return {}
    return {
        (str(row["cell"]), str(row["split"]), str(row["metric"])): (row["low"], row["high"])
        for row in frame.dropna(subset=["low", "high"]).to_dict("records")
    }
