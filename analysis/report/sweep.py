"""A sweep as one page: what was searched, every trial, the figures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.report import embedded_figures, pages
from analysis.report.summary import Facts
from analysis.report.tables import DataTable, Entry, count, number
from analysis.runs.sweep_results import SIZE, TRIALS, SweepResults, load_sweep_results
from auralsam2.text_files import write_text


def write_sweep_report(folder: Path, out: Path, *, figures: Path | None = None) -> list[Path]:
    """Write ``index.html`` of the sweep in a folder.

    ``figures`` is the folder of the figures that are shown as they are; None for the sweep's own,
    where missing ones are drawn.

    Raises:
        FileNotFoundError: where a file is missing.
        ValueError: where they are not what `run-sweep` writes.
    """
    sweep = load_sweep_results(folder)
    if figures is None:
        figures = folder / "figures"
        embedded_figures.draw_missing_of_sweep(folder, folder / TRIALS)
    page = pages.render(
        "report_sweep.html.j2",
        title=sweep.title,
        facts=summary(sweep),
        trials=trial_table(sweep),
        figures=embedded_figures.collect(figures),
    )
    return [write_text(out / "index.html", page)]


def summary(sweep: SweepResults) -> Facts:
    """Return the facts about a sweep."""
    sought = ", ".join(f"{direction} {name}" for name, direction in sweep.directions.items())
    states = sweep.trials["state"].value_counts(sort=False)
    facts = [
        ("Objectives", sought),
        ("Parameters", ", ".join(sweep.parameters)),
        ("Trials", ", ".join(f"{n} {state}" for state, n in states.items())),
    ]
    best = sweep.trials[sweep.trials["best"]]
    for trial in best.to_dict("records"):
        scores = ", ".join(f"{name} {_objective(name, trial).text}" for name in sweep.directions)
        facts.append(("Best trial", f"{trial['number']}: {scores}"))
    return facts


def trial_table(sweep: SweepResults) -> DataTable:
    """Return one row a trial."""
    sizes = [SIZE] if SIZE in sweep.trials and SIZE not in sweep.directions else []
    headers = ["trial", "state", *sweep.directions]
    headers += ["trained parameters"] * len(sizes) + list(sweep.parameters)
    rows = []
    for trial in sweep.trials.to_dict("records"):
        row = [Entry(str(trial["number"]), trial["number"], best=bool(trial["best"]))]
        row.append(Entry(str(trial["state"])))
        row += [_objective(name, trial) for name in sweep.directions]
        row += [count(trial[name]) for name in sizes]
        row += [_setting(trial[name], sweep.is_number(name)) for name in sweep.parameters]
        rows.append(row)
    return DataTable("trials", f"Trials of {sweep.title}", headers, rows)


def _setting(value: Any, is_number: bool) -> Entry:
    if pd.isna(value):
        return Entry("–")
    return Entry(f"{value:g}", float(value)) if is_number else Entry(str(value))


def _objective(name: str, trial: Mapping[Any, Any]) -> Entry:
    return count(trial[name]) if name == SIZE else number(trial[name])
