"""Several planned runs side by side in this process, each as `run_cell` does it alone."""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablations.grids.plan import PlannedRun
from ablations.runs.processes import RunLog
from ablations.runs.run_cell import current_record
from auralsam2.engine.progress import Forwarding, Progress
from auralsam2.engine.run_record import RunRecord

if TYPE_CHECKING:
    from auralsam2.engine.lockstep import Lockstep, LockstepHook

Work = Callable[..., RunRecord]
"""`ablations.runs.run_cell.run_cell` with what all runs of a grid have in common."""
Ended = tuple["RunRecord | None", "str | None"]
"""The record of a run, and the traceback of what was no failure of the run itself."""


@dataclass(frozen=True)
class RunGroup:
    """Runs that may share batches and encodings, as one piece of work for an executor."""

    runs: tuple[PlannedRun, ...]

    @property
    def label(self) -> str:
        """Those of all runs."""
        return f"{len(self.runs)} runs side by side: " + "; ".join(run.label for run in self.runs)

    @property
    def run_dir(self) -> Path:
        """Of the first run."""
        return self.runs[0].run_dir


def run_group(item: PlannedRun | RunGroup, progress: Progress, *, work: Work) -> Any:
    """Do a run, or all runs of a group in lockstep.

    A run that fails leaves the others alone, unless its GPU is of no more use: they are left as an
    interrupt leaves them then, for another process. What the runs of a group tell comes through
    `Progress.of_member`.

    Returns:
        What ``work`` returns; of a group a list with an `Ended` of every run.

    Raises:
        KeyboardInterrupt: when all runs have come to the end of their step.
    """
    if isinstance(item, PlannedRun):
        return work(item, progress)
    from auralsam2.engine.lockstep import Lockstep

    together = Lockstep(len(item.runs))
    ended: list[Ended] = [(None, None)] * len(item.runs)

    def do(index: int) -> None:
        ended[index] = _do(together, index, item.runs[index], progress, work)

    threads = [
        threading.Thread(target=do, args=(i,), name=r.label) for i, r in enumerate(item.runs)
    ]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    except BaseException:
        together.stop()
        for thread in threads:
            if thread.ident is not None:
                thread.join()
        raise
    return ended


def _do(together: Lockstep, index: int, run: PlannedRun, progress: Progress, work: Work) -> Ended:
    try:
        with together.member(index, lambda: RunLog(run.run_dir).take) as hook:
            train = partial(_train, hook, together.count)
            try:
                record = work(run, _Member(progress, index), train=train)
            finally:
                if _gpu_is_lost():
                    together.stop()
            return record, None
    except KeyboardInterrupt:
        return current_record(run), None
    except Exception:
        return None, traceback.format_exc()


def _train(hook: LockstepHook, count: int, *arguments: Any, **more: Any) -> RunRecord:
    from auralsam2.engine import run_record
    from auralsam2.engine.train import train

    record = train(*arguments, **more, hooks=[hook])
    record.notes.append(f"trained side by side with {count - 1} others: duration_s counts them too")
    run_record.write(record, Path(arguments[1]))
    return record


def _gpu_is_lost() -> bool:
    """Whether a failure has left this process without a working GPU."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return False
    try:
        torch.cuda.synchronize()
    except RuntimeError:
        return True
    return False


class _Member(Forwarding):
    """Tells for one of the runs."""

    def __init__(self, progress: Progress, index: int) -> None:
        super().__init__(progress)
        self.index = index

    def forward(self, call: str, *arguments: Any) -> None:
        self.progress.of_member(self.index, call, *arguments)
