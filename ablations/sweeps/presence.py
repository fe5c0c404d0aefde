"""Which drivers work on a study, and which of them are gone."""

from __future__ import annotations

import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ablations.runs import claims
from ablations.runs.claims import ClaimState, Watch
from ablations.runs.heartbeat import Heartbeat
from ablations.runs.processes import this_process
from auralsam2.engine.progress import Progress

ALIVE, UNSURE, GONE = "alive", "unsure", "gone"


class Presence:
    """Drivers by their ids, each with a claim of its own in a folder that all of them share."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.folder = folder
        self.watch = Watch(clock=clock)
        self.own = f"{this_process().host}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
        self._first: dict[str, ClaimState] = {}

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Be a driver for a while."""
        claim = claims.acquire(self.folder / self.own, self.own)
        assert claim is not None, "an id of a driver is its own"
        with Heartbeat(self.folder / self.own, claim, Progress()):
            yield

    def state(self, driver: str) -> str:
        """Return `ALIVE`, `GONE`, or `UNSURE` until a driver elsewhere has shown a sign of life."""
        if driver == self.own:
            return ALIVE
        folder = self.folder / driver
        claim = self.watch.holder(folder)
        if claim is None:
            return GONE
        if claim.owner.machine == this_process().machine:
            return ALIVE  # a dead one would hold nothing
        return UNSURE if claim == self._first.setdefault(driver, claim) else ALIVE

    def is_known(self, driver: str) -> bool:
        """Return whether a driver shares this folder."""
        return (self.folder / driver).is_dir()


@contextmanager
def beating(beat: Callable[[], None], every_s: float) -> Iterator[None]:
    """Tell a database from time to time that the trials of this driver are alive.

    Beats go on while a database is away, since it may come back before other drivers take the
    trials here for lost; every lost one is told.
    """
    over = threading.Event()

    def beat_on() -> None:
        lost = 0
        while not over.wait(every_s):
            try:
                beat()
                lost = 0
            except Exception as error:  # of any library below a URL
                lost += 1
                logging.getLogger(__name__).warning(
                    "beat %d in a row is lost, without them others repeat these trials: %s: %s",
                    *(lost, type(error).__name__, error),
                )

    thread = threading.Thread(target=beat_on, daemon=True, name="beat")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
