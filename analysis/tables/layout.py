"""What stands in each entry of a table, before it is typeset."""

from __future__ import annotations

import math
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

import pandas as pd

from analysis.runs.controls import flat_headers, split_header
from analysis.runs.measures import EXTRA_COLUMNS
from analysis.statistics.crossed_means import CLIPS_AND_SEEDS
from analysis.statistics.significance import KEYS
from analysis.tables.make import Table, best_cells, decimals, pairs

STAR = "*"
DAGGER = "†"
Key = tuple[str, str, str]
"""Cell, split and metric."""


class Notation(NamedTuple):
    """How numbers are written."""

    plus_minus: str = " ± "  # between mean and standard deviation
    absent: str = "–"  # where there is no number
    minus: str = "-"  # sign
    plus: str = "+"  # sign
    percent: bool = False  # whether shares are written as percent, without the sign of it

    def number(self, value: float, digits: int, signed: bool = False) -> str:
        """Return a number with digits behind the point; a difference always has a sign.

        Percent are the digits of the share with the point moved, so that both round alike.
        """
        text = f"{abs(value):.{digits}f}"
        if self.percent:
            text = f"{Decimal(text).scaleb(2):.{max(0, digits - 2)}f}"
        return f"{self.minus if value < 0 else self.plus if signed else ''}{text}"


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

    @property
    def label(self) -> str:
        """What stands at its beginning."""
        return f"{self.name} (reported)" if self.reported else self.name


class Layout(NamedTuple):
    """A table's entries."""

    headers: list[Header]  # of the columns: scores, extras, seeds, differences
    rows: list[Row]  # cells in order, then rows of other papers

    @property
    def num_scores(self) -> int:
        """How many columns stand before the first one that compares."""
        return sum(not header.difference for header in self.headers)


def lay_out(table: Table, notation: Notation | None = None) -> Layout:
    """Return what stands in a table."""
    notation = notation or Notation()
    scores = pairs(table.mean)
    differences = [] if table.difference is None else pairs(table.difference)
    extras = [
        [Entry(notation.absent if pd.isna(v) else three_digits(v)) for v in table.extras[name]]
        for name in table.extras
    ]
    seeds = [Entry(str(n)) for n in table.count.max(axis=1)]
    columns = [
        *_entries(table, notation, compared=False),
        *extras,
        seeds,
        *_entries(table, notation, compared=True),
    ]
    rows = [
        Row(str(cell), [column[index] for column in columns])
        for index, cell in enumerate(table.mean.index)
    ]
    for row in table.reported:
        own = [Entry(notation.absent)] * len(columns)
        for index, pair in enumerate(scores):
            if pair in row.scores:
                own[index] = Entry(notation.number(row.scores[pair], decimals(table, pair[1])))
        rows.append(Row(row.method, own, reported=True))
    return Layout(_headers(table, scores, differences), rows)


def marks(table: Table) -> dict[Key, str]:
    """Return the mark of what differs significantly from the reference."""
    if table.comparison is None:
        return {}
    found = table.comparison[table.comparison["significant"].astype(bool)]
    by_seeds = found["varies"] == CLIPS_AND_SEEDS
    return dict(zip(_keys(found), by_seeds.map({True: STAR, False: DAGGER}), strict=True))


def bounds(frame: pd.DataFrame | None) -> dict[Key, tuple[float, float]]:
    """Return where there are intervals, in one of a table's frames in long form."""
    if frame is None:
        return {}
    held = frame.dropna(subset=["low", "high"])
    return dict(zip(_keys(held), zip(held["low"], held["high"], strict=True), strict=True))


def three_digits(value: float) -> str:
    """Return a number with three significant digits and no exponent: 0.0128, 1.70, 58.3, 1234."""
    if value == 0:
        return "0"
    decimals = 2 - math.floor(math.log10(abs(value)))
    return f"{value:.{max(0, decimals)}f}"


def p_text(p: float) -> str:
    """Return what stands behind a p: ``= 0.012``, or ``< 0.001``."""
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def _keys(frame: pd.DataFrame) -> list[Key]:
    return [(str(c), str(s), str(m)) for c, s, m in frame[list(KEYS)].itertuples(index=False)]


def _headers(
    table: Table, scores: list[tuple[str, str]], differences: list[tuple[str, str]]
) -> list[Header]:
    flat = dict(zip(scores, flat_headers(scores), strict=True))
    headers = [Header(split_header(s), metric, flat[s, metric]) for s, metric in scores]
    names = [EXTRA_COLUMNS[str(name)].header for name in table.extras]
    headers += [Header("", name, name) for name in (*names, "seeds")]
    against = f"vs {table.results.reference}"
    return headers + [
        Header(f"{split_header(s)} {against}", metric, f"{flat[s, metric]} {against}", True)
        for s, metric in differences
    ]


def _entries(table: Table, notation: Notation, *, compared: bool) -> list[list[Entry]]:
    """Return the entries of every score, or of every difference; the best are of scores."""
    frame = table.difference if compared else table.mean
    if frame is None:
        return []
    marked, best = marks(table), best_cells(table)
    intervals = bounds(table.comparison if compared else table.intervals)
    columns = []
    for pair in pairs(frame):
        written = partial(notation.number, digits=decimals(table, pair[1]), signed=compared)
        entries = []
        for cell, value in zip(frame.index, frame[pair].to_numpy(float), strict=True):
            key = (str(cell), *pair)
            std: Any = table.std.at[cell, pair]
            text = notation.absent if pd.isna(value) else written(value)
            if key in intervals:
                text += f" [{', '.join(map(written, intervals[key]))}]"
            elif table.intervals is None and not compared and not pd.isna(std):
                text += f"{notation.plus_minus}{written(std)}"
            is_best = not compared and bool(best.at[cell, pair])
            entries.append(Entry(text, marked.get(key, ""), is_best))
        columns.append(entries)
    return columns
