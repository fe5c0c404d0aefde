"""Keep a claim alive while a run trains, and write down how far it is."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from ablations.runs import claims
from ablations.runs.claims import ClaimState
from auralsam2.engine.progress import Forwarding, Progress


class ClaimLostError(RuntimeError):
    """Another process has taken the run over while this one was silent."""


class Heartbeat(Forwarding):
    """Beats for a claim, notes in it how far the run is, and passes everything on.

    Use it as a context manager: the claim ends with it, as ``how`` says. Every call but the first
    raises `ClaimLostError` where another process has the run by now.
    """

    def __init__(
        self, run_dir: Path, claim: ClaimState, progress: Progress, beat_s: float = claims.BEAT_S
    ) -> None:
        super().__init__(progress)
        self.run_dir, self.claim, self.beat_s = run_dir, claim, beat_s
        self.how = "interrupted"
        self.lost = False
        self.began = self.beaten = time.monotonic()
        self._state: dict[str, Any] = {"phase": "starting", "step": 0}
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat_on, daemon=True, name="heartbeat")

    def __enter__(self) -> Heartbeat:
        """Begin to beat."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End the claim, unless it is lost."""
        self._over.set()
        self._thread.join()
        if not self.lost:
            with suppress(OSError):  # a full disk: the claim goes stale by itself
                claims.end(self.run_dir, self._now(), self.how)

    def start_run(self, total_steps: int, epochs: int) -> None:
        """Enter it."""
        news = {"phase": "training", "step": 0, "total": total_steps, "epochs": epochs}
        self._state = {**self._state, **news}
        super().start_run(total_steps, epochs)

    def step(self, epoch: int, epochs: int, postfix: str) -> None:
        """Enter it."""
        self._state["step"] += 1  # by this thread only
        self._state.update(epoch=epoch, epochs=epochs, postfix=postfix)
        if self._state["step"] == self._state.get("total"):
            self._state["phase"] = "testing"
        super().step(epoch, epochs, postfix)

    def forward(self, call: str, *arguments: Any) -> None:
        """Pass on; the record of a run that is lost is not this process's to write."""
        if call != "start_run":
            self._check()
        super().forward(call, *arguments)

    def beat(self) -> None:
        """Write the claim again, or find out that it is lost."""
        with self._lock:
            if not claims.is_newest(self.run_dir, self.claim):
                self.lost = True
                return
            self.claim = replace(self._now(), beat=self.claim.beat + 1)
            claims.write(self.run_dir, self.claim)
            self.beaten = time.monotonic()

    def _now(self) -> ClaimState:
        elapsed = round(time.monotonic() - self.began, 1)
        return replace(self.claim, progress={**self._state, "elapsed_s": elapsed})

    def _check(self) -> None:
        # A process that was suspended must not write a line before it has looked.
        if not self.lost and time.monotonic() - self.beaten > 3 * self.beat_s:
            with suppress(OSError):
                self.beat()
        if self.lost:
            raise ClaimLostError(f"another process has taken over {self.run_dir}")

    def _beat_on(self) -> None:
        while not self._over.wait(self.beat_s) and not self.lost:
            with suppress(OSError):  # e.g. a disk that is full for a moment
                self.beat()
