"""The trials of a sweep as a table: what its ``trials.csv`` and ``sweep.json`` say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from auralsam2.text_files import as_written

TRIALS, MANIFEST = "trials.csv", "sweep.json"
SCHEMA = 1
SIZE = "num_trainable"


@dataclass(frozen=True)
class SweepResults:
    """A sweep as far as it is."""

    title: str  # for people
    # Name of an objective -> ``"maximize"`` or ``"minimize"``, in order.
    directions: Mapping[str, str]
    # Name -> ``type``, then ``low``, ``high``, ``log`` or ``choices``, and ``when``.
    parameters: Mapping[str, Mapping[str, Any]]
    # A row for each trial; columns number, state, the objectives and `SIZE` as floats, the
    # parameters as floats or texts (missing where one does not apply), base, best.
    trials: pd.DataFrame

    def complete(self) -> pd.DataFrame:
        """Return the trials that trained to their end."""
        return self.trials[self.trials["state"] == "complete"]

    def is_number(self, parameter: str) -> bool:
        """Return whether a parameter has an order."""
        return "choices" not in self.parameters[parameter]


def is_sweep(folder: str | Path) -> bool:
    """Return whether a folder is one that ``run-sweep`` has written."""
    return (Path(folder) / MANIFEST).is_file()


def load_sweep_results(folder: str | Path) -> SweepResults:
    """Read a sweep.

    Raises:
        FileNotFoundError: where a file is missing.
        ValueError: where they are not what `run-sweep` writes.
    """
    folder = Path(folder)
    for name in (MANIFEST, TRIALS):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"no {name} in '{folder}'; it comes from: auralsam2 run-sweep")
    try:
        # JSON keeps every character; the table beside it, whose texts must be the same, cannot.
        manifest = as_written(json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
        if manifest["schema"] != SCHEMA:
            raise ValueError(f"schema {manifest['schema']!r}, wanted {SCHEMA}")
        directions = {o["metric"]: o["direction"] for o in manifest["objectives"]}
        parameters: dict[str, dict[str, Any]] = manifest["parameters"]
        title = str(manifest["title"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{folder / MANIFEST}: no manifest of a sweep ({error!r})") from error
    trials = pd.read_csv(folder / TRIALS, dtype=str, keep_default_na=False)
    wanted = ["number", "state", *directions, *parameters, "base", "best"]
    if missing := [column for column in wanted if column not in trials]:
        raise ValueError(f"{folder / TRIALS}: lacks the columns {', '.join(missing)}")
    return SweepResults(title, directions, parameters, _typed(trials, directions, parameters))


def _typed(
    trials: pd.DataFrame,
    directions: Mapping[str, str],
    parameters: Mapping[str, Mapping[str, Any]],
) -> pd.DataFrame:
    trials = trials.copy()
    trials["number"] = trials["number"].astype(int)
    for column in ("base", "best"):
        trials[column] = trials[column] == "1"
    ranges = [name for name, stated in parameters.items() if "choices" not in stated]
    sizes = [SIZE] if SIZE in trials and SIZE not in directions else []
    for column in (*directions, *sizes, *ranges):
        trials[column] = pd.to_numeric(trials[column], errors="coerce")
    for name in parameters.keys() - set(ranges):
        trials[name] = trials[name].mask(trials[name] == "")
    return trials
