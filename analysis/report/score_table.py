"""The scores of a grid as a table that can be sorted, and its files to take away."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from analysis.report.data_table import Column, DataTable, Entry
from analysis.report.pictures import data_uri
from analysis.runs.controls import is_control
from analysis.runs.splits import has_best
from analysis.tables import Table, pairs, provenance, to_frame, to_latex, to_markdown
from analysis.tables.layout import lay_out
from analysis.tables.make import decimals
from auralsam2.engine.metric_scales import OBJECT
from auralsam2.text_files import encode


class Download(NamedTuple):
    """A file inside a page.

    Attributes:
        name: under which it is saved.
        href: its address.
    """

    name: str
    href: str


def score_table(table: Table, links: Mapping[str, str]) -> DataTable:
    """Return all cells with their scores, extras and differences.

    Args:
        table: the numbers.
        links: cell -> page of the cell.
    """
    layout = lay_out(table)
    values = _values(table)
    columns = [Column("cell"), *(Column(header.flat, numeric=True) for header in layout.headers)]
    rows = []
    for index, row in enumerate(layout.rows):
        name = f"{row.name} (reported)" if row.reported else row.name
        entries = [Entry(name, href=None if row.reported else links.get(row.name))]
        numbers = [None] * len(row.entries) if row.reported else values[index]
        for entry, value in zip(row.entries, numbers, strict=True):
            entries.append(Entry(f"{entry.text}{entry.mark}", value, best=entry.best))
        rows.append(entries)
    return DataTable("scores", f"Scores of {table.results.title}", columns, rows)


def best_cell(table: Table) -> tuple[str, tuple[str, str]] | None:
    """Return the cell with the best mean in the first column that has a best, and that column."""
    column = primary_column(table)
    means = table.mean[column].dropna()
    if means.empty or not has_best(table.results, *column):
        return None
    up = table.results.scale(column[1]).higher_is_better
    best = means.idxmax() if up else means.idxmin()
    return str(best), column


def primary_column(table: Table) -> tuple[str, str]:
    """Return split and metric that cells and clips are ranked by.

    The first column that is shown of a split that is no control and asks for an object.
    """
    columns, scale = pairs(table.mean), table.results.scale
    ranked = [c for c in columns if not is_control(c[0]) and scale(c[1]).subject == OBJECT]
    held = set(table.results.splits)
    return next((c for c in ranked if c[0] in held), columns[0])


def in_words(table: Table, cell: str, column: tuple[str, str]) -> str:
    """Return a cell's score with its interval, where there is one."""
    digits = decimals(table, column[1])
    text = f"{float(table.mean[column].loc[cell]):.{digits}f}"
    if table.intervals is None:
        return text
    frame = table.intervals
    own = (frame["cell"] == cell) & (frame["split"] == column[0]) & (frame["metric"] == column[1])
    bounds = frame.loc[own, ["low", "high"]].dropna()
    if bounds.empty:
        return text
    low, high = bounds.iloc[0]
    return f"{text} [{low:.{digits}f}, {high:.{digits}f}]"


def downloads(table: Table, folder: Path) -> list[Download]:
    """Return the table's files: Markdown, LaTeX, CSV, and where every entry comes from."""
    origin = json.dumps(provenance(table, folder), indent=1, allow_nan=False) + "\n"
    files = {
        "table.csv": (to_frame(table).to_csv(index=False), "text/csv"),
        "table.md": (to_markdown(table), "text/markdown"),
        "table.tex": (to_latex(table), "application/x-tex"),
        "table.provenance.json": (origin, "application/json"),
    }
    return [
        Download(name, data_uri(encode(text), f"{kind};charset=utf-8"))
        for name, (text, kind) in files.items()
    ]


def _values(table: Table) -> list[list[float | None]]:
    """Return the numbers behind the entries of `lay_out`, cells in order."""
    frames = [table.mean, table.extras, table.count.max(axis=1).to_frame()]
    if table.difference is not None:
        frames.append(table.difference)
    columns = [frame.iloc[:, i].tolist() for frame in frames for i in range(frame.shape[1])]
    return [
        [None if pd.isna(column[row]) else float(column[row]) for column in columns]
        for row in range(len(table.mean))
    ]
