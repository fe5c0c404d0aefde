"""How the runs of a folder stand, from files only; light, as any machine that sees it may look."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ablations.runs import claims
from ablations.runs.processes import LOG, last_lines
from auralsam2.engine import run_record
from auralsam2.engine.grid_manifest import FILE_NAME, RunEntry, read_manifest
from auralsam2.engine.run_record import RunRecord

STYLES = {
    "pending": "dim",
    "running": "cyan",
    "stale": "yellow",
    "stopped": "yellow",
    "failed": "red",
    "done": "green",
}
"""States as they are shown; ``stale``: begun, its process gone; the next driver goes on with it."""
OPEN = ("pending", "running", "stale")
"""What a driver would do by itself."""
_ENOUGH = 0.05
"""Part of a run after which its own pace says more than that of others."""


@dataclass(frozen=True)
class RunStatus:
    """How one run stands."""

    cell: str
    seed: int
    run_dir: Path
    state: str  # one of `STYLES`
    progress: Mapping[str, Any] = field(default_factory=dict)  # as in a claim
    owner: str = ""  # who trains it, in words
    error: str = ""  # of a failed run; the reason of a stopped one
    duration_s: float | None = None  # of a done run
    remaining_s: float | None = None  # estimate; None where nothing is known

    @property
    def fraction(self) -> float:
        """Part of the training that is done, of this session."""
        total = self.progress.get("total") or 0
        return min(1.0, self.progress.get("step", 0) / total) if total else 0.0


@dataclass(frozen=True)
class GridStatus:
    """How a folder stands."""

    title: str  # of the grid; the folder's name where it has no manifest
    runs: tuple[RunStatus, ...]  # in the order of the grid
    # Estimate until all is done at the pace of now; None where nothing is known.
    eta_s: float | None

    def count(self, state: str) -> int:
        """Return how many runs are in a state."""
        return sum(run.state == state for run in self.runs)

    @property
    def is_over(self) -> bool:
        """Whether nothing is left that a driver would do by itself."""
        return not any(self.count(state) for state in OPEN)


def read_status(folder: str | Path, stale_s: float = claims.STALE_S) -> GridStatus:
    """Look at a folder with a ``grid.json``, or with runs anywhere below.

    Raises:
        FileNotFoundError: where there is neither a grid nor a run.
        ValueError: for a broken ``grid.json``.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    entries = manifest.entries if manifest else list(_walk(folder))
    if not manifest and not entries:
        raise FileNotFoundError(f"no {FILE_NAME} in '{folder}' and no run below it")
    now = _now_of(folder)
    runs = _with_remaining([_status(*entry, now, stale_s) for entry in entries])
    return GridStatus(manifest.title if manifest else folder.name, tuple(runs), _eta(runs))


def log_tail(run_dir: Path, lines: int) -> list[str]:
    """Return the last lines of a run's log that are not empty."""
    try:
        with (run_dir / LOG).open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - 200 * (lines + 1)))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return []
    return last_lines(text, lines)


def render(status: GridStatus, lines: int = 5) -> RenderableType:
    """Return what a terminal shows, with so many lines of the log of every failed run."""
    said = [summary(status), *_running(status), *_troubles(status, lines)]
    return Group(Text(status.title), _table(status), *map(Text, said))


def summary(status: GridStatus) -> str:
    """Return one line: how many runs are in which state, and the time left."""
    counts = ", ".join(
        f"{status.count(state)} {state}" for state in reversed(STYLES) if status.count(state)
    )
    left = "" if status.is_over else f"; about {duration(status.eta_s)} left at this pace"
    return f"{len(status.runs)} runs: {counts}{left}"


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
    """Return the same for programs."""
    return {
        "title": status.title,
        "counts": {state: status.count(state) for state in STYLES},
        "eta_s": status.eta_s,
        "runs": [_run_as_json(run, lines) for run in status.runs],
    }


def _walk(folder: Path) -> Iterator[RunEntry]:
    for path in sorted(folder.rglob(run_record.FILE_NAME)):
        record, _ = _record(path.parent)
        seed = 0 if record is None else record.seed
        name = (record.name if record else "") or path.parent.name
        yield RunEntry(name, seed, path.parent)


def _record(run_dir: Path) -> tuple[RunRecord | None, str]:
    """Return a run's record, or why it cannot be read; neither where there is none."""
    try:
        return run_record.read_without_clips(run_dir), ""
    except FileNotFoundError:
        return None, ""
    except (OSError, ValueError) as error:
        return None, f"its record cannot be read: {' '.join(str(error).split())}"


def _now_of(folder: Path) -> float:
    """Return the time by the clock that dates files in a folder, which may be a server's."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".now.") as file:
            return Path(file.name).stat().st_mtime
    except OSError:
        return time.time()


def _status(cell: str, seed: int, run_dir: Path, now: float, stale_s: float) -> RunStatus:
    (record, damage), claim = _record(run_dir), claims.newest(run_dir)
    progress = claim.progress if claim is not None else {}
    if claim is not None and claim.ended is None:
        alive = claims.holder(run_dir) is not None and claims.age_s(run_dir, claim, now) < stale_s
        state = "running" if alive else "stale"
        if record is None or record.status == "running" or alive:
            return RunStatus(cell, seed, run_dir, state, progress, claim.whose)
    if record is None:
        state = "failed" if damage else "pending"
        return RunStatus(cell, seed, run_dir, state, progress, error=damage)
    state, error = record.status, record.error
    if state == "running":
        state = "pending" if claim is not None and claim.ended == "interrupted" else "stale"
    if state == "stopped":
        error = record.stopped_because
    took = record.duration_s if state == "done" else None
    return RunStatus(cell, seed, run_dir, state, progress, "", error or "", took)


def _with_remaining(runs: Sequence[RunStatus]) -> list[RunStatus]:
    """Return the runs with estimates at their own pace, else at that of the others."""
    known = [run.duration_s for run in runs if run.duration_s is not None]
    known = known or [total for run in runs if (total := _own_pace(run)) is not None]
    usual = statistics.median(known) if known else None
    return [
        replace(run, remaining_s=total * (1 - run.fraction))
        if run.state in OPEN and (total := _own_pace(run) or usual) is not None
        else run
        for run in runs
    ]


def _own_pace(run: RunStatus) -> float | None:
    if run.state != "running" or run.fraction < _ENOUGH:
        return None
    return float(run.progress.get("elapsed_s", 0.0)) / run.fraction


def _eta(runs: Sequence[RunStatus]) -> float | None:
    left = [run for run in runs if run.state in OPEN]
    seconds = [run.remaining_s for run in left if run.remaining_s is not None]
    if len(seconds) < len(left):
        return None
    at_a_time = max(1, sum(run.state == "running" for run in left))
    return max(sum(seconds) / at_a_time, max(seconds, default=0.0))


def _table(status: GridStatus) -> Table:
    runs = {(run.cell, run.seed): run for run in status.runs}
    seeds = list(dict.fromkeys(seed for _, seed in runs))
    table = Table("cell", *(f"seed {seed}" for seed in seeds))
    for cell in dict.fromkeys(cell for cell, _ in runs):
        table.add_row(Text(cell), *(_entry(runs.get((cell, seed))) for seed in seeds))
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
    return Text(text, STYLES[run.state])


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
            tail = [f"    {line}" for line in log_tail(run.run_dir, lines)]
            said = ": ".join([f"failed: {run.cell}, seed {run.seed}", *last_lines(run.error, 1)])
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
