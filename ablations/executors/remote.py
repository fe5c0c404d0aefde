"""What executors share whose runs happen on other machines that see the same disk.

The driver cannot reach into such a process: it learns from the claim in the run's folder how far
the run is, and ends the claim of a process that its cluster says is gone.
"""

from __future__ import annotations

import os
import traceback
from pathlib import Path
from typing import Any, Generic, NamedTuple

from ablations.display import Display
from ablations.executors.base import Item, R, T, Work
from ablations.runs import claims
from ablations.runs.processes import output_to
from auralsam2.engine.progress import Progress


class Answer(NamedTuple):
    """What comes back from a machine.

    Attributes:
        result: what the function returned.
        error: traceback, where it raised.
    """

    result: Any = None
    error: str | None = None


def do_item(fn: Work[T, R], item: T, place: str, folder: str) -> Answer:
    """Do one item, on the machine that does it.

    Args:
        fn: does it.
        item: what.
        place: name of this try, unique among those alive; see `claims.PLACE_VARIABLE`.
        folder: working directory of the driver, where relative paths begin.

    Returns:
        The result or the traceback; an interrupt passes.
    """
    os.environ[claims.PLACE_VARIABLE] = place
    try:
        if Path.cwd() != Path(folder):
            _enter(folder)
        with output_to(item.run_dir):
            return Answer(fn(item, Progress()))
    except Exception:
        return Answer(error=traceback.format_exc())


class Started(Generic[T]):
    """A run that happens elsewhere, as the driver follows it.

    Args:
        item: what.
        display: told that it starts, and of its steps.
    """

    def __init__(self, item: T, display: Display) -> None:
        self.item = item
        self.tries = 1
        self.progress: Progress = display.run_started(item.label)
        self._claim = ""
        self._total = 0
        self._steps = 0

    def follow(self) -> None:
        """Tell the display what the run's claim says."""
        claim = claims.newest(self.item.run_dir)
        if claim is None or claim.ended is not None or not claim.progress:
            return
        stated = claim.progress
        total, epochs = int(stated.get("total", 0)), int(stated.get("epochs", 0))
        if total and (claim.token != self._claim or total != self._total):
            self._claim, self._total, self._steps = claim.token, total, 0
            self.progress.start_run(total, epochs)
        for _ in range(int(stated.get("step", 0)) - self._steps if self._total else 0):
            self._steps += 1
            self.progress.step(int(stated.get("epoch", 0)), epochs, str(stated.get("postfix", "")))


def release(item: Item, place: str, why: str) -> None:
    """End the claim of a process that is known to be gone, so that the next one need not wait.

    Args:
        item: whose claim.
        place: of the process; claims of others stay.
        why: for people.
    """
    claim = claims.newest(item.run_dir)
    if claim is not None and claim.ended is None and claim.place == place:
        claims.break_claim(item.run_dir, claim, why)


def _enter(folder: str) -> None:
    try:
        os.chdir(folder)
    except OSError as error:
        raise RuntimeError(
            f"this machine ({os.uname().nodename}) does not see the driver's folder '{folder}' "
            f"({error.strerror}): runs on several machines need a disk that all of them share"
        ) from error
