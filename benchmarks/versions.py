"""Commands of a version of the code, which its interpreter stands for, and what they take."""

from __future__ import annotations

import os
import resource
import subprocess
import tempfile
import time
from pathlib import Path

ELSEWHERE = tempfile.gettempdir()
"""Where processes of a version work: Python takes sources of the working folder before those that
belong to the interpreter."""


def call(interpreter: str, *arguments: str) -> tuple[float, float]:
    """Run a command of auralsam2; its wall and CPU seconds. Paths in it are absolute."""
    command = Path(os.path.abspath(interpreter)).with_name("auralsam2")
    return taken(str(command), *arguments)


def taken(*command: str) -> tuple[float, float]:
    """Wall and CPU seconds of a process, those of its children included; SystemExit if it fails."""
    began, before = time.perf_counter(), _used()
    done = subprocess.run(command, capture_output=True, text=True, cwd=ELSEWHERE)
    if done.returncode:
        said = done.stdout[-3000:] + done.stderr[-3000:]
        raise SystemExit(f"{' '.join(command[-8:])}\n{said}")
    return time.perf_counter() - began, _used() - before


def _used() -> float:
    times = resource.getrusage(resource.RUSAGE_CHILDREN)
    return times.ru_utime + times.ru_stime
