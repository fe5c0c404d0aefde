"""A look at a grid as text: cells by seeds, what is left, and why runs failed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ablations.runs.status import STATES, GridStatus, RunStatus, log_tail

_STYLES = {
    "pending": "dim",
    "running": "cyan",
    "stale": "yellow",
    "stopped": "yellow",
    "failed": "red",
    "done": "green",
}


def render(status: GridStatus, lines: int = 5) -> RenderableType:
    """Return what a terminal shows.

    Args:
        status: of a grid.
        lines: of the log of every failed run.
    """
    parts: list[RenderableType] = [_table(status), Text(summary(status))]
    parts += [Text(text) for text in _running(status)]
    parts += [Text(text) for text in _troubles(status, lines)]
    return Group(*parts)


def summary(status: GridStatus) -> str:
    """Return one line: how many runs are in which state, and the time left."""
    counts = ", ".join(
        f"{status.count(state)} {state}" for state in reversed(STATES) if status.count(state)
    )
    if status.is_over:
        return f"{len(status.runs)} runs: {counts}"
    return f"{len(status.runs)} runs: {counts}; about {duration(status.eta_s)} left at this pace"


def duration(seconds: float | None) -> str:
    """Return hours, minutes and seconds as they fit."""
    if seconds is None:
        return "?"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"


def as_json(status: GridStatus, lines: int = 5) -> dict[str, Any]:
    """Return the same for programs.

    Args:
        status: of a grid.
        lines: of the log of every failed run.
    """
    return {
        "title": status.title,
        "counts": {state: status.count(state) for state in STATES},
        "eta_s": status.eta_s,
        "runs": [_run_as_json(run, lines) for run in status.runs],
    }


def _table(status: GridStatus) -> Table:
    seeds = list(dict.fromkeys(run.seed for run in status.runs))
    table = Table("cell", *(f"seed {seed}" for seed in seeds), title=status.title)
    by_cell: dict[str, dict[int, RunStatus]] = {}
    for run in status.runs:
        by_cell.setdefault(run.cell, {})[run.seed] = run
    for cell, runs in by_cell.items():
        table.add_row(Text(cell), *(_entry(runs.get(seed)) for seed in seeds))
    return table


def _entry(run: RunStatus | None) -> Text:
    if run is None:
        return Text("")
    text = run.state
    if run.state == "running":
        text += f" {run.fraction:.0%}"
        if run.remaining_s is not None:
            text += f", {duration(run.remaining_s)}"
    elif run.state in ("pending", "stale") and run.progress.get("epoch"):
        text += f" at epoch {run.progress['epoch']}/{run.progress.get('epochs', '?')}"
    elif run.duration_s is not None:
        text += f" in {duration(run.duration_s)}"
    return Text(text, _STYLES[run.state])


def _running(status: GridStatus) -> Iterator[str]:
    for run in status.runs:
        if run.state in ("running", "stale"):
            told = run.progress
            epoch = f"epoch {told['epoch']}/{told['epochs']}, " if "epoch" in told else ""
            postfix = f"{told['postfix']}, " if told.get("postfix") else ""
            yield (
                f"{run.state}: {run.cell}, seed {run.seed}: {told.get('phase', 'starting')}, "
                f"{epoch}{postfix}{run.owner}"
            )


def _troubles(status: GridStatus, lines: int) -> Iterator[str]:
    for run in status.runs:
        if run.state == "stopped":
            yield f"stopped: {run.cell}, seed {run.seed}: {run.error}"
        if run.state == "failed":
            last = [line for line in run.error.splitlines() if line.strip()][-1:]
            tail = [f"    {line}" for line in log_tail(run.run_dir, lines)]
            said = ": ".join([f"failed: {run.cell}, seed {run.seed}", *last])
            yield "\n".join([said, f"  {run.run_dir}", *tail])


def _run_as_json(run: RunStatus, lines: int) -> dict[str, Any]:
    return {
        "cell": run.cell,
        "seed": run.seed,
        "state": run.state,
        "folder": run.run_dir.as_posix(),
        "progress": dict(run.progress),
        "fraction": round(run.fraction, 4),
        "owner": run.owner,
        "duration_s": run.duration_s,
        "remaining_s": None if run.remaining_s is None else round(run.remaining_s, 1),
        "error": run.error or None,
        "log": log_tail(run.run_dir, lines) if run.state == "failed" else [],
    }
