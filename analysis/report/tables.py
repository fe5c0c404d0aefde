"""The tables of pages: scores, runs and clips; what an entry says, and what it is sorted by."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from analysis.runs.conditions import start_in_words, trained_on
from analysis.runs.controls import flat_headers
from analysis.runs.results import Results, select
from analysis.tables import Table, pairs
from analysis.tables.layout import lay_out
from auralsam2.engine.run_record import RunRecord

Records = Mapping[tuple[str, int], RunRecord]
"""Cell and seed -> record without the scores of clips."""


class Entry(NamedTuple):
    """An entry."""

    text: str  # as written
    value: float | None = None  # what a column of numbers is sorted by; None stands last
    href: str | None = None  # page that the text leads to
    best: bool = False  # of its column


class DataTable(NamedTuple):
    """A table."""

    key: str  # of the table within its page, letters and hyphens
    caption: str  # what its rows are
    headers: Sequence[str]  # of the columns; the first one names the rows
    rows: Sequence[Sequence[Entry]]  # entries in the order of the columns
    code: bool = False  # whether entries are code, such as keys and values of a config

    @property
    def numeric(self) -> list[bool]:
        """Which columns are sorted by numbers, the largest first; the others go by letters."""
        columns = range(len(self.headers))
        return [any(row[index].value is not None for row in self.rows) for index in columns]


def number(value: object) -> Entry:
    """Return the entry of a number; a dash where there is none."""
    return _entry(value, lambda known: f"{known:.3f}")


def count(value: object) -> Entry:
    """Return the entry of a whole number with spaces between thousands; a dash where none."""
    # A narrow space that does not break; no comma, which is a decimal sign elsewhere.
    return _entry(value, lambda known: f"{known:,.0f}".replace(",", "\u202f"))


def duration(value: object) -> Entry:
    """Return the entry of seconds: 48 s, 3 min, 1.5 h."""

    def written(seconds: float) -> str:
        if seconds < 90:
            return f"{seconds:.0f} s"
        return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"

    return _entry(value, written)


def score_table(table: Table, links: Mapping[str, str]) -> DataTable:
    """Return all cells with their scores, extras and differences, and links to their pages."""
    layout = lay_out(table)
    frames = [table.mean, table.extras, table.count.max(axis=1).to_frame()]
    if table.difference is not None:
        frames.append(table.difference)
    # The numbers behind the entries of cells, in their order; reported rows have none.
    values = pd.concat([frame.reset_index(drop=True) for frame in frames], axis=1).to_numpy(object)
    rows = []
    for index, row in enumerate(layout.rows):
        entries = [Entry(row.label, href=None if row.reported else links.get(row.name))]
        numbers = [None] * len(row.entries) if row.reported else map(_known, values[index])
        for entry, value in zip(row.entries, numbers, strict=True):
            entries.append(Entry(f"{entry.text}{entry.mark}", value, best=entry.best))
        rows.append(entries)
    headers = ["cell", *(header.flat for header in layout.headers)]
    return DataTable("scores", f"Scores of {table.results.title}", headers, rows)


def run_table(
    table: Table,
    records: Records,
    folder: Path,
    *,
    links: Mapping[str, str] | None = None,
    cell: str | None = None,
) -> DataTable:
    """Return one row a run of a cell, or of all where that is None, with ``links`` to their pages.

    Run folders are named from ``folder``.
    """
    columns = pairs(table.mean)
    means = table.seed_means.pivot_table(
        index=["cell", "seed"], columns=["split", "metric"], values="value", sort=False
    ).reindex(columns=pd.MultiIndex.from_tuples(columns))
    scores = dict(zip(means.index, means.to_numpy().tolist(), strict=True))
    headers: list[str] = []
    rows = []
    runs = table.results.runs if cell is None else select(table.results.runs, cell=cell)
    first = 0 if cell is None else 1  # on a cell's page every run is that cell's
    for run in runs.to_dict("records"):
        name, seed = key = (str(run["cell"]), int(run["seed"]))
        own = scores.get(key, [float("nan")] * len(columns))
        origin = _origin(records[key], Path(str(run["run_dir"])), folder)
        whose = [Entry(name, href=(links or {}).get(name)), Entry(str(seed), float(seed))]
        rows.append([*whose, *map(number, own), *origin.values()][first:])
        headers = ["cell", "seed", *flat_headers(columns), *origin][first:]
    return DataTable("runs", "Runs", headers, rows)


def clip_table(results: Results, cell: str, columns: Sequence[tuple[str, str]]) -> DataTable:
    """Return one row a clip: its scores, averaged over seeds.

    Columns of derived splits, which have no clips of their own, are left out.
    """
    own = select(results.scores, cell=cell)
    wide = own.pivot_table(index="clip", columns=["split", "metric"], values="value", sort=True)
    held = [column for column in columns if column[0] in results.splits and column in wide]
    rows = [
        [Entry(str(clip)), *map(number, values)]
        for clip, values in zip(wide.index, wide[held].to_numpy().tolist(), strict=True)
    ]
    headers = ["clip", *flat_headers(held)]
    return DataTable("clips", "All clips, mean over seeds", headers, rows)


def _origin(record: RunRecord, run_dir: Path, folder: Path) -> dict[str, Entry]:
    """Return header -> entry of how a run was made."""
    shown = run_dir.relative_to(folder) if run_dir.is_relative_to(folder) else run_dir
    epochs, planned = count(record.epochs), record.epochs_planned
    if planned is not None and record.epochs not in (0, planned):
        epochs = epochs._replace(text=f"{epochs.text} of {planned}")
    return {
        "epochs": epochs,
        "best epoch": count(record.best_epoch),
        "trained parameters": count(record.num_parameters.get("trainable")),
        "took": duration(record.duration_s),
        "trained on": Entry(trained_on(record)),
        "began with": Entry(start_in_words(record) or ""),
        "finished": Entry((record.finished or "")[:16].replace("T", " ")),
        "code": Entry(record.code_version),
        "run id": Entry(record.run_id),
        "folder": Entry(shown.as_posix()),
    }


def _entry(value: object, written: Callable[[float], str]) -> Entry:
    known = _known(value)
    return Entry("–") if known is None else Entry(written(known), known)


def _known(value: Any) -> float | None:
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value)
