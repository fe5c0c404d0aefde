"""What hands out work and enters how it ends: one loop for runs of a grid and trials of a sweep."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Generic

from ablations.display import Display
from ablations.executors.base import Executor, Outcome, R, T, Work
from ablations.grids.plan import PlannedRun
from ablations.lockstep import LockstepExecutor
from ablations.options import Options
from ablations.runs import attempts, claims
from ablations.runs.attempts import delete_checkpoints
from ablations.runs.claims import Watch
from ablations.runs.processes import terminate_like_interrupt
from ablations.runs.run_cell import current_record, record_failure
from auralsam2.devices import wants_gpu
from auralsam2.engine import run_record
from auralsam2.engine.run_record import RunRecord

LOOK_EVERY_S = 2.0
"""How often work that others hold is looked at."""


class Driver(ABC, Generic[T, R]):
    """Hands out items and takes back how they end, on a folder that others may work on too.

    An iterator over what is to be done next. None means that there is nothing now: the rest is
    running, here or elsewhere.

    Attributes:
        name: in the claims, so that it knows its own.
        running: folders of what was handed out and has not come back.
        elsewhere: folder -> what another process holds.
        freed_bytes: of checkpoints that were deleted.
    """

    def __init__(
        self,
        name: str,
        display: Display,
        options: Options,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name, self.display, self.options = name, display, options
        self.watch, self.clock = Watch(options.stale_s, clock), clock
        self.running: set[Path] = set()
        self.elsewhere: dict[Path, T] = {}
        self.freed_bytes = 0
        self._looked = -LOOK_EVERY_S
        self._told = ""

    def drive(self, executor: Executor | LockstepExecutor, work: Work[T, R]) -> None:
        """Do all items; an interrupt, also by SIGTERM, passes when all processes have ended."""
        # Closing ends the processes at once, also where a traceback would keep the generator alive.
        with (
            self.display,
            terminate_like_interrupt(),
            closing(executor.map(work, self, self.display)) as outcomes,
        ):
            for outcome in outcomes:
                result = outcome.result or self.lost(outcome)
                self.running.discard(outcome.item.run_dir)
                if result is None or self.is_held(result):
                    self.leave(outcome.item)
                else:
                    self.settle(outcome.item, result)

    def __iter__(self) -> Iterator[T | None]:
        """Return itself."""
        return self

    def __next__(self) -> T | None:
        """Return the next item that is free."""
        item = self.new() or self._freed()
        if item is not None:
            self.running.add(item.run_dir)
        elif self.is_over():
            raise StopIteration
        return item

    @abstractmethod
    def new(self) -> T | None:
        """Return the next item that was not handed out yet."""

    @abstractmethod
    def is_free(self, item: T) -> bool:
        """Return whether an item is to be done here; if not, it has found its place."""

    @abstractmethod
    def is_held(self, result: R) -> bool:
        """Return whether a result says that another process has the item."""

    @abstractmethod
    def lost(self, outcome: Outcome[T, R]) -> R | None:
        """Return the result of an item without one; None where another process has it by now."""

    @abstractmethod
    def settle(self, item: T, result: R) -> None:
        """Enter how an item ended."""

    def is_over(self) -> bool:
        """Return whether nothing will be handed out any more, where there is nothing now."""
        return not (self.running or self.elsewhere)

    def leave(self, item: T) -> None:
        """Look at an item later that another process turned out to hold."""
        self.elsewhere[item.run_dir] = item
        self.display.run_left(item.label, "another process has it")

    def tell_end(self, item: T, state: str, text: str, runs: Iterable[PlannedRun] = ()) -> None:
        """Show how an item ended, whose ``runs`` that are done may lose their checkpoints."""
        if self.options.deletes_checkpoints:
            self.freed_bytes += sum(delete_checkpoints(run.run_dir) for run in runs)
        self.display.run_finished(item.label, state, text)

    def record_loss(self, run: PlannedRun, outcome: Outcome[T, R]) -> RunRecord | None:
        """Write for a process that could not; None where somebody else has the run by now."""
        try:
            return self._write_loss(run, outcome)
        except OSError as error:  # e.g. a full disk: the others may fare better
            said = f"{outcome.error}\n(no record could be written: {error})"
            return run_record.fail(current_record(run), said)

    def _write_loss(self, run: PlannedRun, outcome: Outcome[T, R]) -> RunRecord | None:
        held = claims.holder(run.run_dir)
        if held is not None and held.driver == self.name:
            claims.break_claim(run.run_dir, held, "lost: its process is gone")
        claim = claims.acquire(run.run_dir, self.name)
        if claim is None:
            return None
        record = current_record(run)
        if record.status != "done":  # else it died when all was written
            times = attempts.halvings(record, self.options.oom_retries)
            memory = attempts.smaller_batches(run.cfg, times) if outcome.out_of_memory else None
            record = record_failure(run, str(outcome.error), out_of_memory=memory)
        claims.end(run.run_dir, claim, record.status)
        return record

    def _freed(self) -> T | None:
        if self.clock() - self._looked < LOOK_EVERY_S:
            return None
        self._looked = self.clock()
        for folder, item in list(self.elsewhere.items()):
            del self.elsewhere[folder]
            if self.is_free(item):
                return item
        if self.elsewhere and not self.running:
            self._tell_whom_it_waits_for()
        return None

    def _tell_whom_it_waits_for(self) -> None:
        held = [(item.label, claims.holder(folder)) for folder, item in self.elsewhere.items()]
        those = [f"{label} ({claim.whose})" for label, claim in held if claim is not None]
        text = f"waiting for {len(those)} runs of others: " + ", ".join(those)
        if those and text != self._told:
            self._told = text
            self.display.say(text)


def trains_on_gpu(configs: Iterable[Any]) -> bool:
    """Return whether any of the configs wants a GPU and would find one."""
    return any(wants_gpu(name) for name in {str(cfg.runtime.device) for cfg in configs})
