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
from auralsam2.engine.progress import Forwarding
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
    progress = _PipeProgress(pipe)
    try:
        with output_to(item.run_dir):
            message = ("result", fn(item, progress))
    except Exception:
        message = ("error", traceback.format_exc())
    progress.flush()
    if is_retiring():
        _send(pipe, ("retiring", None))
    _send(pipe, message)


class _PipeProgress(Forwarding):
    """Sends what a run tells to the parent: steps a few times a second, all else at once.

    Who wants to end the run must listen in this process.
    """

    def __init__(self, pipe: Connection) -> None:
        self.pipe = pipe
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.sent = 0.0

    def forward(self, call: str, *arguments: Any) -> None:
        self.calls.append((call, arguments))
        is_step = call == "step" or (call == "of_member" and arguments[1] == "step")
        if not is_step or time.monotonic() - self.sent > _MESSAGE_EVERY_S:
            self.flush()

    def flush(self) -> None:
        self.sent = time.monotonic()
        if self.calls:
            _send(self.pipe, ("progress", self.calls))
            self.calls = []


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
