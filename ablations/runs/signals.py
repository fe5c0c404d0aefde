"""Let SIGTERM, which clusters and service managers send, end a program as Ctrl-C does."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def terminate_like_interrupt() -> Iterator[None]:
    """Raise KeyboardInterrupt at SIGTERM, once; only a main thread can."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def say_how_to_go_on() -> Iterator[None]:
    """Tell whoever interrupts a program that nothing is lost."""
    try:
        yield
    except KeyboardInterrupt:
        print("stopped; the same command goes on where this one ended", flush=True)
        raise


def _interrupt(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the next one would hit the tidying up
    raise KeyboardInterrupt
