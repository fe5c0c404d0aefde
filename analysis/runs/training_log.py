"""What a run has logged: losses by iteration, validation scores by epoch."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from auralsam2.engine.run_record import RunRecord

TOTAL = "loss"
_SCALARS = "*/vis_data/scalars.json"
_TERM = "loss_"
_NO_SCORES = frozenset({"data_time", "time", "step", "epoch", "iter", "lr", "base_lr"})

Entries = Sequence[Mapping[str, Any]]
"""What was logged at one step each: ``step`` and numbers by name."""


class TrainingLog(NamedTuple):
    """The log of one run, steps ascending."""

    training: Entries  # ``step`` counts iterations
    validation: Entries  # ``step`` counts epochs


def read_log(record: RunRecord, run_dir: Path) -> TrainingLog:
    """Read what a run has logged, which may be nothing.

    Validations are those of the record; a run without any there has them in its scalars. Of a run
    that went on after a kill, the later session wins.
    """
    training: dict[int, dict[str, Any]] = {}
    validation: dict[int, dict[str, Any]] = {}
    for path in sorted(run_dir.glob(_SCALARS)):
        for entry in _lines(path):
            # Only what is logged in training counts iterations.
            (training if "iter" in entry else validation)[int(entry["step"])] = entry
    logged = [validation[step] for step in sorted(validation)]
    recorded = [{**entry["scores"], "step": entry["epoch"]} for entry in record.curve]
    return TrainingLog([training[step] for step in sorted(training)], recorded or logged)


def series(entries: Entries, name: str) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Return the steps that have a finite number of a name, and the numbers."""
    held = [
        (int(entry["step"]), float(entry[name]))
        for entry in entries
        if isinstance(entry.get(name), (int, float)) and math.isfinite(entry[name])
    ]
    return tuple(step for step, _ in held), tuple(value for _, value in held)


def score_names(entries: Entries) -> list[str]:
    """Return the names of what was logged, in order, without times and learning rates."""
    return [n for n in dict.fromkeys(n for e in entries for n in e) if n not in _NO_SCORES]


def loss_terms(entries: Entries) -> dict[str, str]:
    """Return the terms that the total loss is made of: name -> in short, ``mask``."""
    return {n: n.removeprefix(_TERM) for n in score_names(entries) if n.startswith(_TERM)}


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        text = path.read_bytes().decode("utf-8", errors="replace")
    except OSError:  # a log that cannot be read is as one that is not there
        return
    for line in text.splitlines():
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):  # a killed run leaves half a line
            continue
        if isinstance(entry, dict) and isinstance(entry.get("step"), int):
            yield entry
