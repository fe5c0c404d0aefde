"""Tables of scores after corrective clicks: cells with their sound and without, one a metric."""

from __future__ import annotations

from pathlib import Path

from analysis.runs.clicks import after_clicks, columns_of, shown_metrics
from analysis.runs.results import Results
from analysis.statistics.crossed_means import USUAL, Settings
from analysis.statistics.significance import can_be_tested
from analysis.tables.make import Table, make_table
from analysis.tables.write import write_tables

FOLDER = "clicks"
"""Beside the table of the runs."""


def click_tables(
    results: Results, *, spread: str = "interval", settings: Settings = USUAL
) -> dict[str, Table]:
    """Return metric -> table of its scores after every number of clicks; empty where are none.

    Cells are tested against the results' reference with its sound.
    """
    if (clicked := after_clicks(results)) is None:
        return {}
    return {
        metric: make_table(
            clicked,
            significance=can_be_tested(clicked),
            spread=spread,
            columns=("passes",),
            scores=[f"{split}:{name}" for split, name in columns_of(clicked, metric)],
            settings=settings,
        )
        for metric in shown_metrics(clicked)
    }


def write_click_tables(tables: dict[str, Table], folder: Path) -> list[Path]:
    """Write ``clicks/METRIC/table.*``."""
    return [
        path
        for metric, table in tables.items()
        for path in write_tables(table, folder / FOLDER / metric.replace("/", "_"))
    ]
