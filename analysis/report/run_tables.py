"""Runs and clips as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.report.data_table import Column, DataTable, Entry, count, duration, number
from analysis.runs.conditions import start_in_words, trained_on
from analysis.runs.controls import base_split, metric_header, split_header
from analysis.runs.results import Results
from analysis.tables import Table, pairs
from auralsam2.engine.run_record import RunRecord

Records = Mapping[tuple[str, int], RunRecord]
"""Cell and seed -> record without the scores of clips."""


def run_table(
    table: Table,
    records: Records,
    folder: Path,
    *,
    links: Mapping[str, str] | None = None,
    cell: str | None = None,
) -> DataTable:
    """Return one row a run.

    Args:
        table: of the grid.
        records: of the runs.
        folder: that run folders are named from.
        links: cell -> page of the cell.
        cell: only its runs.
    """
    columns = pairs(table.mean)
    means = table.seed_means.pivot_table(
        index=["cell", "seed"], columns=["split", "metric"], values="value", sort=False
    )
    rows = []
    for run in table.results.runs.to_dict("records"):
        key = (str(run["cell"]), int(run["seed"]))
        if cell is not None and key[0] != cell:
            continue
        record = records[key]
        scores = [_mean(means, key, column) for column in columns]
        last = _origin(record, run, folder)
        names = [Entry(key[0], href=(links or {}).get(key[0]))] if cell is None else []
        rows.append([*names, Entry(str(key[1]), float(key[1])), *map(number, scores), *last])
    named = [Column("cell")] if cell is None else []
    headers = [Column(header, numeric=True) for header in score_headers(columns)]
    return DataTable(
        "runs", "Runs", [*named, Column("seed", True), *headers, *_ORIGIN_COLUMNS], rows
    )


def clip_table(results: Results, cell: str, columns: Sequence[tuple[str, str]]) -> DataTable:
    """Return one row a clip: its scores, averaged over seeds.

    Args:
        results: the runs.
        cell: name.
        columns: split and metric; derived splits, which have no clips of their own, are left out.
    """
    held = [column for column in columns if column[0] in results.splits]
    frame = results.scores[results.scores["cell"] == cell]
    wide = frame.pivot_table(index="clip", columns=["split", "metric"], values="value", sort=True)
    held = [column for column in held if column in wide]
    rows = [
        [Entry(str(clip)), *(number(value) for value in values)]
        for clip, values in zip(wide.index, wide[held].to_numpy().tolist(), strict=True)
    ]
    headers = [Column(header, numeric=True) for header in score_headers(held)]
    return DataTable("clips", "All clips, mean over seeds", [Column("clip"), *headers], rows)


def score_headers(columns: Sequence[tuple[str, str]]) -> list[str]:
    """Return headers of one line; of a single base split, without its name."""
    single = len({base_split(split) for split, _ in columns}) == 1
    names = [metric_header(split, metric) for split, metric in columns]
    if single:
        return names
    return [
        f"{split_header(base_split(s))} {name}" for (s, _), name in zip(columns, names, strict=True)
    ]


_ORIGIN_COLUMNS = (
    Column("epochs", True),
    Column("best epoch", True),
    Column("trained parameters", True),
    Column("took", True),
    Column("trained on"),
    Column("began with"),
    Column("finished"),
    Column("code"),
    Column("run id"),
    Column("folder"),
)


def _origin(record: RunRecord, run: Mapping[Any, Any], folder: Path) -> list[Entry]:
    run_dir = Path(str(run["run_dir"]))
    shown = run_dir.relative_to(folder) if run_dir.is_relative_to(folder) else run_dir
    return [
        _epochs(record),
        count(record.best_epoch),
        count(record.num_parameters.get("trainable")),
        duration(record.duration_s),
        Entry(trained_on(record)),
        Entry(start_in_words(record) or ""),
        Entry((record.finished or "")[:16].replace("T", " ")),
        Entry(record.code_version),
        Entry(record.run_id),
        Entry(shown.as_posix()),
    ]


def _epochs(record: RunRecord) -> Entry:
    entry = count(record.epochs)
    planned = record.epochs_planned
    if planned is None or record.epochs in (0, planned):
        return entry
    return entry._replace(text=f"{entry.text} of {planned}")


def _mean(means: pd.DataFrame, key: tuple[str, int], column: tuple[str, str]) -> float | None:
    if key not in means.index or column not in means:
        return None
    return float(means.loc[key, column])  # type: ignore[arg-type]
