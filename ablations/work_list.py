"""What a driver hands out next, on a folder that other drivers may work on at the same time."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ablations.grids.plan import PlannedRun, state_of
from ablations.runs import claims
from ablations.runs.claims import Watch
from auralsam2.engine import run_record
from auralsam2.engine.run_record import RunRecord

LOOK_EVERY_S = 2.0
"""How often runs that others hold are looked at."""
_ENDED = ("done", "failed", "stopped")

Settle = Callable[[PlannedRun, RunRecord], None]
Tell = Callable[[str], None]


class WorkList(Iterator["PlannedRun | None"]):
    """The runs to do, in order; those that another process holds come later, if at all.

    None means that there is nothing to do now: the rest is running, here or elsewhere.

    Args:
        runs: what is to be done.
        settle: told of every run that another driver has ended.
        watch: judges claims.
        tell: told, in words, when only others have something to do, and who.
        clock: monotonic, seconds.
    """

    def __init__(
        self,
        runs: Sequence[PlannedRun],
        settle: Settle,
        watch: Watch,
        tell: Tell = lambda text: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.pending = deque(runs)
        self.elsewhere: dict[Path, PlannedRun] = {}
        self.running: set[Path] = set()
        self.settle, self.watch, self.tell, self.clock = settle, watch, tell, clock
        self._looked = -LOOK_EVERY_S
        # A run that had failed before and fails again elsewhere has a newer claim then.
        self._claims = {run.run_dir: _number(run.run_dir) for run in runs}

    def __next__(self) -> PlannedRun | None:
        """Return the next run that is free."""
        while self.pending:
            run = self.pending.popleft()
            if self._is_free(run):
                return self._give(run)
        for run in self._freed():
            return self._give(run)
        if self.elsewhere or self.running:
            return None
        raise StopIteration

    def take_back(self, run: PlannedRun, *, again: bool = False, elsewhere: bool = False) -> None:
        """Enter that a run that was handed out has come back.

        Args:
            run: which.
            again: whether it is to be handed out once more.
            elsewhere: whether another process turned out to hold it.
        """
        self.running.discard(run.run_dir)
        if again:
            self._claims[run.run_dir] = _number(run.run_dir)  # its failure is known
            self.pending.append(run)
        if elsewhere:
            self.elsewhere[run.run_dir] = run

    def _give(self, run: PlannedRun) -> PlannedRun:
        self.running.add(run.run_dir)
        return run

    def _freed(self) -> Iterator[PlannedRun]:
        if self.clock() - self._looked < LOOK_EVERY_S:
            return
        self._looked = self.clock()
        for run in list(self.elsewhere.values()):
            del self.elsewhere[run.run_dir]
            if self._is_free(run):
                yield run
        if self.elsewhere and not self.running:
            self._tell()

    def _tell(self) -> None:
        held = [(run.label, claims.holder(run.run_dir)) for run in self.elsewhere.values()]
        those = [f"{label} ({claim.whose})" for label, claim in held if claim is not None]
        if those:
            self.tell(f"waiting for {len(those)} runs of others: " + ", ".join(those))

    def _is_free(self, run: PlannedRun) -> bool:
        """Whether a run is to be done here; if not, it has found its place."""
        if self.watch.holder(run.run_dir) is not None:
            self.elsewhere[run.run_dir] = run
            return False
        # In this order: an owner writes the record before its claim ends.
        state = state_of(run.run_dir)
        others = _number(run.run_dir) > self._claims[run.run_dir]
        if state == "done" or (state in _ENDED and others):
            self.settle(run, run_record.read(run.run_dir))
            return False
        return True


def _number(run_dir: Path) -> int:
    claim = claims.newest(run_dir)
    return 0 if claim is None else claim.number
