"""A table's files, and which runs and which computation stand behind every entry."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.runs.reported import MARK
from analysis.runs.results import origin
from analysis.runs.splits import derived_splits
from analysis.statistics.crossed_means import FEWEST_SEEDS
from analysis.tables.latex import to_latex
from analysis.tables.make import Table, pairs
from analysis.tables.notes import notes
from analysis.tables.text import to_markdown
from auralsam2.text_files import json_text, write_text


def to_frame(table: Table) -> pd.DataFrame:
    """Return the numbers in long form.

    Returns:
        Columns cell, split, metric, mean, std, num_seeds; low and high where the spread is an
        interval; difference where asked for; source where other papers' rows stand beside. Extra
        columns are rows whose split is empty.
    """
    rows = []
    for cell in table.mean.index:
        for pair in pairs(table.mean):
            at = (cell, pair)
            row: dict[str, Any] = {"cell": cell, "split": pair[0], "metric": pair[1]}
            row |= {"mean": table.mean.loc[at], "std": table.std.loc[at]}
            row["num_seeds"] = int(table.count.loc[at])
            if table.difference is not None:
                row["difference"] = table.difference.loc[at] if pair in table.difference else None
            rows.append(row)
        for name in table.extras:
            value = table.extras.at[cell, name]
            rows.append({"cell": cell, "split": "", "metric": name, "mean": value})
    for reported in table.reported:
        for (split, metric), value in reported.scores.items():
            row = {"cell": reported.method, "split": split, "metric": metric, "mean": value}
            rows.append(row | {"source": f"{MARK}: {reported.citation()}"})
    frame = pd.DataFrame(rows)
    if table.intervals is not None:
        keys = ["cell", "split", "metric"]
        frame = frame.merge(table.intervals[[*keys, "low", "high"]], on=keys, how="left")
    return frame.astype({"num_seeds": "Int64"})


def texts(table: Table, folder: Path) -> dict[str, str]:
    """Return name -> content of ``table.{md,tex,csv,provenance.json}``, for a folder."""
    return {
        "table.md": to_markdown(table),
        "table.tex": to_latex(table),
        "table.csv": to_frame(table).to_csv(index=False),
        "table.provenance.json": json_text(provenance(table, folder)),
    }


def write_tables(table: Table, folder: Path) -> list[Path]:
    """Write the files of `texts`, and ``table.comparison.csv`` of the tests."""
    paths = [write_text(folder / name, text) for name, text in texts(table, folder).items()]
    comparison = folder / "table.comparison.csv"
    # One of an earlier table would pass for this one's.
    comparison.unlink(missing_ok=True)
    if table.comparison is not None:
        paths.append(write_text(comparison, table.comparison.to_csv(index=False)))
    return paths


def provenance(table: Table, folder: Path) -> dict[str, Any]:
    """Return the runs behind every entry, their folders relative to ``folder``."""
    runs = {(r["cell"], r["seed"]): r for r in table.results.runs.to_dict("records")}
    entries: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for score in table.seed_means.to_dict("records"):
        source = {"seed": int(score["seed"]), "value": float(score["value"])}
        source |= origin(runs[(score["cell"], score["seed"])], folder)
        key = (str(score["cell"]), str(score["split"]), str(score["metric"]))
        entries.setdefault(key, []).append(source)
    made = derived_splits(table.results).items()
    return {
        "title": table.results.title,
        "notes": notes(table),
        "derived_splits": {name: {"parts": of, "weighting": "splits"} for name, of in made},
        "shown": [f"{split}:{metric}" for split, metric in pairs(table.mean)],
        "statistics": _statistics(table),
        "reported": [_reported(row) for row in table.reported],
        "entries": [
            {"cell": cell, "split": split, "metric": metric, "runs": sources}
            for (cell, split, metric), sources in entries.items()
        ],
    }


def libraries() -> dict[str, str]:
    """Return the versions of what computes means, intervals and tests."""
    return {name: version(name) for name in ("numpy", "pandas", "scipy")}


def _statistics(table: Table) -> dict[str, Any] | None:
    """Return how intervals and tests were computed; None where there are none."""
    if table.comparison is None and table.intervals is None:
        return None
    return {
        **asdict(table.settings),
        "fewest_seeds": FEWEST_SEEDS,
        "reference": table.results.reference if table.comparison is not None else None,
        "libraries": libraries(),
    }


def _reported(row: Any) -> dict[str, Any]:
    scores: dict[str, dict[str, float]] = {}
    for (split, metric), value in row.scores.items():
        scores.setdefault(split, {})[metric] = value
    return {**row._asdict(), "scores": scores}
