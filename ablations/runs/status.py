"""How the runs of a folder stand, from files only: any machine that sees the folder can look.

Imports neither torch nor any config, so that looking is quick.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ablations.runs import claims
from ablations.runs.claims import ClaimState
from ablations.runs.processes import LOG
from auralsam2.engine import run_record
from auralsam2.engine.run_record import RunRecord

MANIFEST = "grid.json"
STATES = ("pending", "running", "stale", "stopped", "failed", "done")
"""``stale``: begun, and its process is gone; the next driver goes on with it."""
_ENOUGH = 0.05
"""Part of a run after which its own pace says more than that of others."""


@dataclass(frozen=True)
class RunStatus:
    """How one run stands.

    Attributes:
        cell: name.
        seed: of the run.
        run_dir: its folder.
        state: one of `STATES`.
        progress: see `ablations.runs.claims.ClaimState`.
        owner: who trains it, in words.
        error: of a failed run; the reason of a stopped one.
        duration_s: of a done run.
        remaining_s: estimate for what is left of it; None where nothing is known.
    """

    cell: str
    seed: int
    run_dir: Path
    state: str
    progress: Mapping[str, Any] = field(default_factory=dict)
    owner: str = ""
    error: str = ""
    duration_s: float | None = None
    remaining_s: float | None = None

    @property
    def fraction(self) -> float:
        """Part of the training that is done, of this session."""
        total = self.progress.get("total") or 0
        return min(1.0, self.progress.get("step", 0) / total) if total else 0.0


@dataclass(frozen=True)
class GridStatus:
    """How a folder stands.

    Attributes:
        title: of the grid; the folder's name where it has no manifest.
        runs: in the order of the grid.
        eta_s: estimate until all is done at the pace of now; None where nothing is known.
    """

    title: str
    runs: tuple[RunStatus, ...]
    eta_s: float | None

    def count(self, state: str) -> int:
        """Return how many runs are in a state."""
        return sum(run.state == state for run in self.runs)

    @property
    def is_over(self) -> bool:
        """Whether nothing is left that a driver would do by itself."""
        return not any(self.count(state) for state in ("pending", "running", "stale"))


def read_status(folder: str | Path, stale_s: float = claims.STALE_S) -> GridStatus:
    """Look at a folder.

    Args:
        folder: with a ``grid.json``, or with runs anywhere below.
        stale_s: silence after which the owner of a claim counts as gone.

    Raises:
        FileNotFoundError: where there is neither a grid nor a run.
        ValueError: for a broken manifest.
    """
    folder = Path(folder)
    title, entries = _entries(folder)
    now = _now_of(folder)
    runs = [_status(cell, seed, run_dir, now, stale_s) for cell, seed, run_dir in entries]
    usual = _usual_duration(runs)
    runs = [_with_remaining(run, usual) for run in runs]
    return GridStatus(title, tuple(runs), _eta(runs))


def log_tail(run_dir: Path, lines: int) -> list[str]:
    """Return the last lines of a run's log that are not empty."""
    try:
        with (run_dir / LOG).open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - 200 * (lines + 1)))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return []
    return [line.rstrip() for line in text.splitlines() if line.strip()][-lines:]


def _entries(folder: Path) -> tuple[str, list[tuple[str, int, Path]]]:
    path = folder / MANIFEST
    if path.is_file():
        try:
            grid = json.loads(path.read_text(encoding="utf-8"))
            return str(grid["title"]), [
                (str(cell["name"]), int(run["seed"]), folder / run["folder"])
                for cell in grid["cells"]
                for run in cell["runs"]
            ]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path}: no grid file ({error!r}); run the grid again") from error
    found = list(_walk(folder))
    if not found:
        raise FileNotFoundError(f"no {MANIFEST} in '{folder}' and no run below it")
    return folder.name, found


def _walk(folder: Path) -> Iterator[tuple[str, int, Path]]:
    for path in sorted(folder.rglob(run_record.FILE_NAME)):
        record, _ = _record(path.parent)
        seed = 0 if record is None else record.seed
        yield (record.name if record else "") or path.parent.name, seed, path.parent


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
    state = {"running": _unfinished(claim)}.get(record.status, record.status)
    error = record.stopped_because if record.status == "stopped" else record.error
    duration = record.duration_s if record.status == "done" else None
    return RunStatus(cell, seed, run_dir, state, progress, "", error or "", duration)


def _unfinished(claim: ClaimState | None) -> str:
    return "pending" if claim is not None and claim.ended == "interrupted" else "stale"


def _usual_duration(runs: Sequence[RunStatus]) -> float | None:
    known = [run.duration_s for run in runs if run.duration_s is not None]
    known = known or [total for run in runs if (total := _own_pace(run)) is not None]
    return statistics.median(known) if known else None


def _own_pace(run: RunStatus) -> float | None:
    if run.state != "running" or run.fraction < _ENOUGH:
        return None
    return float(run.progress.get("elapsed_s", 0.0)) / run.fraction


def _with_remaining(run: RunStatus, usual: float | None) -> RunStatus:
    if run.state not in ("pending", "running", "stale"):
        return run
    total = _own_pace(run) or usual
    left = None if total is None else total * (1 - run.fraction)
    return RunStatus(**{**run.__dict__, "remaining_s": left})


def _eta(runs: Sequence[RunStatus]) -> float | None:
    left = [run for run in runs if run.state in ("pending", "running", "stale")]
    if not left:
        return 0.0
    if any(run.remaining_s is None for run in left):
        return None
    seconds = [run.remaining_s or 0.0 for run in left]
    at_a_time = max(1, sum(run.state == "running" for run in left))
    return max(sum(seconds) / at_a_time, max(seconds))
