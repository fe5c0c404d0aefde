"""Files of clips as they are, or a `DataError` that names the one that cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from auralsam2.data.audio import read_waveform
from auralsam2.data.problems import DataError


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Let what is wrong with a file be a `DataError` that names it."""
    try:
        yield
    except ValueError as error:
        raise DataError(str(error) if str(path) in str(error) else f"'{path}': {error}") from error


def read_sound(path: Path) -> tuple[NDArray[np.float64], int]:
    """Samples (L, channels) of a recording and their rate, before any front end.

    Raises:
        DataError: where it cannot be read.
    """
    with named(path):
        return read_waveform(path)
