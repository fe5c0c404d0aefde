"""Tables in LaTeX, for the booktabs and multirow packages and any LaTeX engine."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

import pandas as pd

from analysis.runs.reported import MARK
from analysis.tables.latex_text import escape, printed_length, table_file
from analysis.tables.layout import DAGGER, STAR, Entry, Header, Layout, Notation, Row, lay_out
from analysis.tables.make import Table
from analysis.tables.notes import footnote, measured_where, notes


class _Size(NamedTuple):
    """A way to set a float, with its width and that of a letter and a gap in points."""

    environment: str
    available: float
    letter: float
    space: int
    command: str = ""


_SIZES = (
    _Size("table", 240, 5.0, 6),
    _Size("table", 240, 4.6, 3, r"\small"),
    _Size("table*", 500, 5.0, 6),
    _Size("table*", 500, 4.6, 3, r"\small"),
    _Size("table*", 500, 4.2, 3, r"\footnotesize"),
    _Size("table*", 500, 3.8, 2, r"\scriptsize"),
)
"""Of a page of two columns, from the most to the least readable; the first that fits is taken."""
_LONG_NAME = 40
_NOTATION = Notation(plus_minus=r" $\pm$ ", absent="--", minus="$-$", plus="$+$")
_MARKS = {"": "", STAR: r"$^{*}$", DAGGER: r"$^{\dagger}$"}


def to_latex(table: Table) -> str:
    """Return the table in LaTeX: best entries bold, cells of several axes grouped by the first.

    Differences stand in a second tabular below. The float is as wide, and its letters as small,
    as the entries ask for.
    """
    layout = lay_out(table, _NOTATION)
    columns, first = range(len(layout.headers)), layout.num_scores
    pieces = [piece for piece in (columns[:first], columns[first:]) if piece]
    axes = _axes(table, layout)
    tabulars = [_tabular(table, layout, piece, axes) for piece in pieces]
    size = next(
        size
        for size in _SIZES
        if size is _SIZES[-1]
        or max(_width(layout, piece, size) for piece in pieces) <= size.available
    )
    return table_file(
        [tabulars],
        caption=table.results.title,
        label=table.results.title,
        size=size.command,
        gap=size.space,
        environment=size.environment,
        footnote=_below(table),
        notes=notes(table),
        packages="booktabs,multirow",
    )


def _tabular(table: Table, layout: Layout, columns: Sequence[int], axes: Sequence[str]) -> str:
    headers = [layout.headers[index] for index in columns]
    rows = [row for row in layout.rows if not row.reported or columns[0] == 0]
    frame = pd.DataFrame([[_entry(row.entries[index]) for index in columns] for row in rows])
    frame.index = _index(rows, table, axes)
    frame.index.names = [escape(axis) for axis in axes] if axes else [None]
    names = [escape(header.name) for header in headers]
    groups = [_broken(escape(header.group)) for header in headers]
    # The only group of a table need not be named; differences always say from what.
    single = len(set(groups) - {""}) <= 1 and not any(header.difference for header in headers)
    frame.columns = pd.Index(names) if single else pd.MultiIndex.from_arrays([groups, names])
    formats = _names_formats(frame.index)
    num_levels = len(formats)
    # A name of several lines may be higher than its rows together: it stands in each of them.
    groups_of_rows = frame.index.get_level_values(0)[: sum(not row.reported for row in rows)]
    text = frame.style.to_latex(
        hrules=True,
        sparse_index=max(map(printed_length, groups_of_rows)) <= _LONG_NAME,
        multicol_align="c",
        column_format="".join(formats) + "c" * len(columns),
    )
    lines = str(text).rstrip("\n").split("\n")
    if not single:
        lines.insert(lines.index(r"\toprule") + 2, _group_rules(headers, num_levels + 1))
    if num_reported := sum(row.reported for row in rows):
        width = num_levels + len(columns)
        heading = rf"\multicolumn{{{width}}}{{l}}{{\emph{{{MARK}}}}} \\"
        at = lines.index(r"\bottomrule") - num_reported
        lines[at:at] = [r"\midrule", heading]
    return "\n".join(lines)


def _broken(group: str) -> str:
    """Return the header of a group, in several lines where it is long."""
    if printed_length(group) <= _LONG_NAME:
        return group
    return rf"\parbox{{0.4\linewidth}}{{\centering {group}}}"


def _entry(entry: Entry) -> str:
    text = f"\\textbf{{{entry.text}}}" if entry.best else entry.text
    return f"{text}{_MARKS[entry.mark]}"


def _axes(table: Table, layout: Layout) -> list[str]:
    """Return the axes that rows are grouped by; none where names say more."""
    axes = [table.results.axes.get(row.name, {}) for row in layout.rows if not row.reported]
    first = list(axes[0])
    labels = [tuple(own.values()) for own in axes]
    if len(first) < 2 or any(list(own) != first for own in axes) or len({*labels}) < len(labels):
        return []
    runs = [len(list(members)) for _, members in groupby(labels, key=lambda label: label[0])]
    return first if max(runs) > 1 else []


def _index(rows: Sequence[Row], table: Table, axes: Sequence[str]) -> pd.Index:
    if not axes:
        return pd.Index([escape(row.label) for row in rows])
    labels = [
        [row.label, *[""] * (len(axes) - 1)]
        if row.reported
        else list(table.results.axes[row.name].values())
        for row in rows
    ]
    return pd.MultiIndex.from_tuples([tuple(map(escape, label)) for label in labels])


def _group_rules(headers: Sequence[Header], first: int) -> str:
    rules, column = [], first
    for group, members in groupby(headers, key=lambda header: header.group):
        width = len(list(members))
        if group:
            rules.append(rf"\cmidrule(lr){{{column}-{column + width - 1}}}")
        column += width
    return "".join(rules)


def _below(table: Table) -> str:
    """Return what stands below the rows: what the numbers are, and other papers' sources."""
    measured = [f"{text[0].upper()}{text[1:]}." for text in measured_where(table)]
    cited = [f"{MARK.capitalize()}: {row.citation()}." for row in table.reported]
    return " ".join([footnote(table), *measured, *cited])


def _names_formats(names: pd.Index) -> list[str]:
    """Return the formats of the columns of names, which are broken where they are long."""
    longest = [max(map(printed_length, names.unique(level))) for level in range(names.nlevels)]
    broken = rf"p{{{0.3 if len(longest) == 1 else 0.2}\linewidth}}"
    return ["l" if length <= _LONG_NAME else broken for length in longest]


def _width(layout: Layout, columns: Sequence[int], size: _Size) -> float:
    """Return about how wide a tabular is, in points."""
    widest = min(_LONG_NAME, max(printed_length(escape(row.label)) for row in layout.rows))
    for index in columns:
        header = len(layout.headers[index].name)
        widest += max(header, *(_length(row.entries[index]) for row in layout.rows))
    return widest * size.letter + 2 * size.space * (len(columns) + 1)


def _length(entry: Entry) -> int:
    """Return how many letters an entry has in print."""
    return printed_length(entry.text) + bool(entry.mark)
