"""Processes of a version of the code, which its interpreter stands for, and what they take."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

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
    _printed(command)
    return time.perf_counter() - began, _used() - before


def told(*command: object) -> Any:
    """What the last line is that a process prints, of JSON; SystemExit if it fails."""
    return json.loads(_printed([str(word) for word in command]).splitlines()[-1])


class Turns:
    """A process that waits for a line and answers it, so that several can take turns."""

    def __init__(self, *command: str) -> None:
        self._process = subprocess.Popen(
            command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ELSEWHERE
        )

    def ask(self, line: object, answers: int) -> list[Any]:
        """Say a line; the next lines that it prints, of JSON. SystemExit where it has ended."""
        assert self._process.stdin is not None and self._process.stdout is not None
        print(line, file=self._process.stdin, flush=True)
        lines = [self._process.stdout.readline() for _ in range(answers)]
        if "" in lines:
            raise SystemExit("a process ended early, see its error above")
        return [json.loads(line) for line in lines]

    def end(self) -> None:
        """Say no more, and wait until it has ended."""
        self._process.communicate()


def _printed(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, cwd=ELSEWHERE)
    if done.returncode:
        said = done.stdout[-3000:] + done.stderr[-3000:]
        raise SystemExit(f"{' '.join(command[-8:])}\n{said}")
    return done.stdout


def _used() -> float:
    times = resource.getrusage(resource.RUSAGE_CHILDREN)
    return times.ru_utime + times.ru_stime
