"""How the runs of a cell trained: loss by iteration, validation scores by epoch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from analysis.report.line_chart import Chart, Curve
from analysis.runs.training_log import TOTAL, loss_terms, read_log, score_names, series
from auralsam2.engine.run_record import RunRecord


def collect(runs: Mapping[int, tuple[RunRecord, Path]]) -> list[Chart]:
    """Return the charts of a cell that have something to show.

    Args:
        runs: seed -> record and folder.
    """
    logs = {seed: read_log(record, folder) for seed, (record, folder) in runs.items()}
    losses = tuple(Curve(f"seed {s}", *series(log.training, TOTAL)) for s, log in logs.items())
    charts = [Chart("Training loss", "iteration", losses, log=True)]
    first = next(iter(logs), None)
    if first is not None:
        training = logs[first].training
        terms = loss_terms(training).items()
        curves = tuple(Curve(short, *series(training, name)) for name, short in terms)
        title = f"Terms of the loss, seed {first}"
        charts.append(Chart(title, "iteration", curves if len(curves) > 1 else (), log=True))
    validations = {seed: log.validation for seed, log in logs.items()}
    for metric in dict.fromkeys(
        n for entries in validations.values() for n in score_names(entries)
    ):
        curves = tuple(Curve(f"seed {s}", *series(v, metric)) for s, v in validations.items())
        charts.append(Chart(f"{metric} on validation clips", "epoch", curves))
    shown = [c._replace(curves=tuple(line for line in c.curves if line.steps)) for c in charts]
    return [chart for chart in shown if chart.curves]
