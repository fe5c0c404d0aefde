"""Send everything that a run prints to its own log."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from auralsam2.text_files import ERRORS

FILE_NAME = "log.txt"
_OUTPUTS = ("stdout", "stderr")


@contextmanager
def output_to(run_dir: Path) -> Iterator[Path]:
    """Append standard output and error to the log of a run, also those of C libraries.

    The streams are new objects on the old file descriptors: a logger that keeps one of them for
    longer than the run still writes to something open.

    Args:
        run_dir: folder of the run; made where missing.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    streams = [getattr(sys, name) for name in _OUTPUTS]
    for stream in streams:
        stream.flush()
    saved = [os.dup(descriptor) for descriptor in (1, 2)]
    try:
        with (run_dir / FILE_NAME).open("ab") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        for descriptor, name in enumerate(_OUTPUTS, start=1):
            stream = open(  # noqa: SIM115  (a logger may keep it)
                descriptor, "w", buffering=1, encoding="utf-8", errors=ERRORS, closefd=False
            )
            setattr(sys, name, stream)
        yield run_dir / FILE_NAME
    finally:
        for descriptor, name in enumerate(_OUTPUTS, start=1):
            getattr(sys, name).flush()
            setattr(sys, name, streams[descriptor - 1])
            os.dup2(saved[descriptor - 1], descriptor)
            os.close(saved[descriptor - 1])
