"""Which process is which, on which machine, and whether it still lives."""

from __future__ import annotations

import os
import platform
import uuid
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path


@dataclass(frozen=True)
class ProcessId:
    """A process among all machines and times.

    Attributes:
        host: name, for people.
        machine: unique to a running system and its view of processes; containers of one host may
            share its name but not this.
        pid: process id there.
        started: when it started, in the system's own count; empty where that is not told.
    """

    host: str
    machine: str
    pid: int
    started: str


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
