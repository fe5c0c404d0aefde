"""How the runs of a cell trained: loss by iteration, validation scores by epoch."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from analysis.report.line_chart import Chart, Curve
from auralsam2.engine.run_record import RunRecord

_SCALARS = "*/vis_data/scalars.json"
_NO_SCORES = frozenset({"data_time", "time", "step", "epoch", "iter", "lr", "base_lr"})


def collect(runs: Mapping[int, tuple[RunRecord, Path]]) -> list[Chart]:
    """Return the charts of a cell that have something to show.

    Args:
        runs: seed -> record and folder.
    """
    scalars = {seed: _scalars(folder) for seed, (_, folder) in runs.items()}
    losses = tuple(
        Curve(f"seed {seed}", *_series(training, "loss")) for seed, (training, _) in scalars.items()
    )
    charts = [Chart("Training loss", "iteration", losses, log=True)]
    first = next(iter(scalars), None)
    if first is not None:
        training = scalars[first][0]
        parts = [name for name in _names(training) if name.startswith("loss_")]
        curves = tuple(Curve(n.removeprefix("loss_"), *_series(training, n)) for n in parts)
        title = f"Terms of the loss, seed {first}"
        charts.append(Chart(title, "iteration", curves if len(curves) > 1 else (), log=True))
    scored = {seed: _validations(record, scalars[seed][1]) for seed, (record, _) in runs.items()}
    for metric in dict.fromkeys(n for entries in scored.values() for n in _names(entries)):
        curves = tuple(Curve(f"seed {s}", *_series(v, metric)) for s, v in scored.items())
        charts.append(Chart(f"{metric} on validation clips", "epoch", curves))
    shown = [c._replace(curves=tuple(line for line in c.curves if line.steps)) for c in charts]
    return [chart for chart in shown if chart.curves]


def _scalars(run_dir: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return what was logged in training and in validation; a later session wins."""
    training: dict[int, dict[str, Any]] = {}
    validation: dict[int, dict[str, Any]] = {}
    for path in sorted(run_dir.glob(_SCALARS)):
        for entry in _lines(path):
            # Only what is logged in training counts iterations.
            (training if "iter" in entry else validation)[int(entry["step"])] = entry
    return [training[s] for s in sorted(training)], [validation[s] for s in sorted(validation)]


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:  # a killed run leaves half a line
            continue
        if isinstance(entry, dict) and "step" in entry:
            yield entry


def _validations(
    record: RunRecord, logged: Sequence[dict[str, Any]]
) -> Sequence[Mapping[str, Any]]:
    if record.curve:
        return [{**entry["scores"], "step": entry["epoch"]} for entry in record.curve]
    return logged


def _names(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    return [n for n in dict.fromkeys(n for e in entries for n in e) if n not in _NO_SCORES]


def _series(
    entries: Sequence[Mapping[str, Any]], name: str
) -> tuple[tuple[int, ...], tuple[float, ...]]:
    held = [
        (int(entry["step"]), float(entry[name]))
        for entry in entries
        if isinstance(entry.get(name), (int, float)) and math.isfinite(entry[name])
    ]
    return tuple(step for step, _ in held), tuple(value for _, value in held)
