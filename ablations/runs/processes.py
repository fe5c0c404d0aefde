"""The process of a run: who it is and whether it lives, where its output goes, how it ends."""

from __future__ import annotations

import os
import platform
import signal
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from auralsam2.text_files import ERRORS

LOG = "log.txt"
_OUTPUTS = ("stdout", "stderr")
_retiring = threading.Event()


@dataclass(frozen=True)
class ProcessId:
    """A process among all machines and times."""

    host: str  # name, for people
    # Unique to a running system and its view of processes; containers of one host may share its
    # name but not this.
    machine: str
    pid: int  # process id there
    started: str  # when it started, in the system's own count; empty where that is not told


def this_process() -> ProcessId:
    """Return the id of the calling process."""
    pid = os.getpid()
    return ProcessId(platform.node(), _machine(), pid, _started(pid) or "")


def is_dead(process: ProcessId) -> bool:
    """Return whether a process is known to have ended.

    False where it runs, and where nobody can tell from this machine.
    """
    if process.machine != _machine() or os.name != "posix":  # elsewhere, signal 0 would kill
        return False
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # somebody else's
    now = _started(process.pid)
    if now is None:
        return False
    # A number is given out again; a zombie only waits for its parent.
    return now == "" or bool(process.started and now != process.started)


def _started(pid: int) -> str | None:
    """Return a process's start time, an empty text for a zombie, None where that is not told."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else fields[19]


@lru_cache(maxsize=1)
def _machine() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return f"{platform.node()}/{uuid.getnode():x}"


def last_lines(text: str, count: int) -> list[str]:
    """Return the last lines of a log or a traceback that are not empty."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return lines[max(0, len(lines) - count) :]


class RunLog:
    """The log of a run, as the place of standard output and error, those of C libraries included.

    The streams are new objects on the old file descriptors: a logger that keeps one of them for
    longer than the run still writes to something open.
    """

    def __init__(self, run_dir: Path) -> None:
        run_dir.mkdir(parents=True, exist_ok=True)
        self.path = run_dir / LOG
        self._streams = [
            open(descriptor, "w", buffering=1, encoding="utf-8", errors=ERRORS, closefd=False)  # noqa: SIM115
            for descriptor in (1, 2)
        ]

    def take(self) -> None:
        """Let everything that is written from now on be appended to the log."""
        for name in _OUTPUTS:
            getattr(sys, name).flush()
        with self.path.open("ab") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        for name, stream in zip(_OUTPUTS, self._streams, strict=True):
            setattr(sys, name, stream)


@contextmanager
def output_to(run_dir: Path) -> Iterator[Path]:
    """Append standard output and error to the log of a run, also those of C libraries."""
    streams = [getattr(sys, name) for name in _OUTPUTS]
    for stream in streams:
        stream.flush()
    saved = [os.dup(descriptor) for descriptor in (1, 2)]
    try:
        log = RunLog(run_dir)
        log.take()
        yield log.path
    finally:
        for descriptor, name in enumerate(_OUTPUTS, start=1):
            getattr(sys, name).flush()
            setattr(sys, name, streams[descriptor - 1])
            os.dup2(saved[descriptor - 1], descriptor)
            os.close(saved[descriptor - 1])


@contextmanager
def terminate_like_interrupt() -> Iterator[None]:
    """Raise KeyboardInterrupt at SIGTERM, which clusters send, once; only a main thread can."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def interrupt(*_: object) -> None:
    """End what this process does as Ctrl-C would; a handler of SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the next one would hit the tidying up
    raise KeyboardInterrupt


@contextmanager
def say_how_to_go_on() -> Iterator[None]:
    """Tell whoever interrupts a program that nothing is lost."""
    try:
        yield
    except KeyboardInterrupt:
        print("stopped; the same command goes on where this one ended", flush=True)
        raise


def retire() -> None:
    """Let this process do no other run, e.g. as its GPU context is broken."""
    _retiring.set()


def is_retiring() -> bool:
    """Return whether this process does no other run."""
    return _retiring.is_set()
