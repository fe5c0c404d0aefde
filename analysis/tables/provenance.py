"""Which runs, and which computation, stand behind every entry of a table."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from analysis.runs.results import PROVENANCE
from analysis.runs.splits import derived_splits
from analysis.statistics.crossed_means import FEWEST_SEEDS
from analysis.tables.make import Table, pairs
from analysis.tables.notes import notes

_COMPUTED_BY = ("numpy", "pandas", "scipy", "statsmodels")


def provenance(table: Table, folder: Path) -> dict[str, Any]:
    """Return the runs behind every entry, their folders relative to ``folder``."""
    runs = {(r["cell"], r["seed"]): r for r in table.results.runs.to_dict("records")}
    entries: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for score in table.seed_means.to_dict("records"):
        run = runs[(score["cell"], score["seed"])]
        value = float(score["value"])
        source: dict[str, Any] = {
            "seed": int(score["seed"]),
            "value": value if value == value else None,
        }
        source |= {key: run[key] for key in PROVENANCE}
        run_dir = Path(str(run["run_dir"]))
        if run_dir.is_relative_to(folder):
            source["run_dir"] = run_dir.relative_to(folder).as_posix()
        key = (str(score["cell"]), str(score["split"]), str(score["metric"]))
        entries.setdefault(key, []).append(source)
    made = derived_splits(table.results).items()
    return {
        "title": table.results.title,
        "notes": notes(table),
        "derived_splits": {name: derived._asdict() for name, derived in made},
        "shown": [f"{split}:{metric}" for split, metric in pairs(table.mean)],
        "statistics": _statistics(table),
        "reported": [_reported(row) for row in table.reported],
        "entries": [
            {"cell": cell, "split": split, "metric": metric, "runs": sources}
            for (cell, split, metric), sources in entries.items()
        ],
    }


def _statistics(table: Table) -> dict[str, Any] | None:
    """Return how intervals and tests were computed; None where there are none."""
    if table.comparison is None and table.intervals is None:
        return None
    return {
        **asdict(table.settings),
        "fewest_seeds": FEWEST_SEEDS,
        "reference": table.results.reference if table.comparison is not None else None,
        "libraries": {name: version(name) for name in _COMPUTED_BY},
    }


def _reported(row: Any) -> dict[str, Any]:
    scores: dict[str, dict[str, float]] = {}
    for (split, metric), value in row.scores.items():
        scores.setdefault(split, {})[metric] = value
    return {**row._asdict(), "scores": scores}
