"""What a process of the local executor does: items, one after the other, until it is told to end.

Imports nothing heavy: the variables that torch and numpy read must be set before they are there.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Mapping
from multiprocessing import connection
from multiprocessing.connection import Connection
from typing import Any

from ablations.runs.processes import interrupt, is_retiring, output_to
from auralsam2.engine.progress import Progress
from auralsam2.process_end import GRACE_S, end_soon

_MESSAGE_EVERY_S = 0.2


def serve(pipe: Connection, environment: Mapping[str, str]) -> None:
    """Do items until the parent closes the pipe: the main function of a process.

    Args:
        pipe: gives ``(fn, item)``; takes ``("progress", calls)``, ``("retiring", None)`` where
            the process will do no other item, and in the end ``("result", value)`` or
            ``("error", traceback)``.
        environment: variables to set first.
    """
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the parent decides
    signal.signal(signal.SIGTERM, interrupt)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    status = 1
    try:
        while not is_retiring():
            fn, item = pipe.recv()
            _do(pipe, fn, item)
        status = 0
    except (EOFError, KeyboardInterrupt):
        status = 0  # whatever was under way has been left in a state that resumes
    finally:
        end_soon(status)


def _do(pipe: Connection, fn: Any, item: Any) -> None:
    progress = PipeProgress(pipe)
    try:
        with output_to(item.run_dir):
            message = ("result", fn(item, progress))
    except Exception:
        message = ("error", traceback.format_exc())
    progress.flush()
    if is_retiring():
        _send(pipe, ("retiring", None))
    _send(pipe, message)


class PipeProgress(Progress):
    """Collects what a run tells and sends it a few times a second."""

    def __init__(self, pipe: Connection) -> None:
        self.pipe = pipe
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.sent = 0.0

    def start_run(self, total_steps: int, epochs: int) -> None:
        """Pass on at once."""
        self._add("start_run", total_steps, epochs, flush=True)

    def step(self, epoch: int, epochs: int, postfix: str) -> None:
        """Pass on in a while."""
        self._add("step", epoch, epochs, postfix)

    def validated(self, epoch: int, scores: Mapping[str, float]) -> None:
        """Pass on at once; who wants to end the run must listen in this process."""
        self._add("validated", epoch, dict(scores), flush=True)

    def finish_run(self) -> None:
        """Pass on at once."""
        self._add("finish_run", flush=True)

    def of_member(self, index: int, call: str, *arguments: Any) -> None:
        """Pass on as soon as the call itself would be."""
        self._add("of_member", index, call, *arguments, flush=call != "step")

    def flush(self) -> None:
        """Send what has been collected."""
        if self.calls:
            _send(self.pipe, ("progress", self.calls))
            self.calls = []

    def _add(self, name: str, *arguments: Any, flush: bool = False) -> None:
        self.calls.append((name, arguments))
        if flush or time.monotonic() - self.sent > _MESSAGE_EVERY_S:
            self.sent = time.monotonic()
            self.flush()


def _send(pipe: Connection, message: tuple[str, Any]) -> None:
    """Tell the parent; where it is gone, leave the run as an interrupt does."""
    try:
        pipe.send(message)
    except (BrokenPipeError, ConnectionResetError):
        interrupt()


def _end_with_parent() -> None:
    """End when the parent is gone: a killed grid must not train on unseen."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    os._exit(1)
