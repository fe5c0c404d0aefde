"""A table as a page shows it: what is written in an entry, and what it is sorted by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple


class Column(NamedTuple):
    """A column.

    Attributes:
        header: as written.
        numeric: sorted by numbers, the largest first; else by letters.
    """

    header: str
    numeric: bool = False


class Entry(NamedTuple):
    """An entry.

    Attributes:
        text: as written.
        value: what a numeric column is sorted by; None stands last.
        href: page that the text leads to.
        best: of its column.
    """

    text: str
    value: float | None = None
    href: str | None = None
    best: bool = False


class DataTable(NamedTuple):
    """A table.

    Attributes:
        key: of the table within its page, letters and hyphens.
        caption: what its rows are.
        columns: the first one names the rows.
        rows: entries in the order of the columns.
        code: whether entries are code, such as keys and values of a config.
    """

    key: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Entry]]
    code: bool = False


def number(value: object, decimals: int = 3) -> Entry:
    """Return the entry of a number; a dash where there is none."""
    known = _known(value)
    return Entry("–") if known is None else Entry(f"{known:.{decimals}f}", known)


def count(value: object) -> Entry:
    """Return the entry of a whole number with spaces between thousands; a dash where none."""
    known = _known(value)
    # A narrow space that does not break; no comma, which is a decimal sign elsewhere.
    return Entry("–") if known is None else Entry(f"{known:,.0f}".replace(",", "\u202f"), known)


def duration(value: object) -> Entry:
    """Return the entry of seconds: 48 s, 3 min, 1.5 h."""
    seconds = _known(value)
    if seconds is None:
        return Entry("–")
    for limit, unit in ((90, 1), (5400, 60)):
        if seconds < limit:
            return Entry(f"{seconds / unit:.0f} {'s' if unit == 1 else 'min'}", seconds)
    return Entry(f"{seconds / 3600:.1f} h", seconds)


def _known(value: object) -> float | None:
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value)
