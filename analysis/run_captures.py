"""What a run's weights have shown, kept in its folder: numbers and the weights they are of."""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from auralsam2.engine import run_record
from auralsam2.engine.run_record import WEIGHTS

DAMAGED = (
    BadZipFile,
    EOFError,
    KeyError,
    ValueError,
    OSError,
    TypeError,
    AttributeError,
    zlib.error,
)
"""What reading a kept file may raise that is not what was written; it is made again."""


def weights_digest(run_dir: Path) -> str | None:
    """Return the first digits of the SHA-256 of a run's weights; None where it has none."""
    weights = run_dir / WEIGHTS
    return hashlib.sha256(weights.read_bytes()).hexdigest()[:16] if weights.is_file() else None


def check_weights(run_dir: Path) -> None:
    """Refuse a run that has trained something and has lost it: it would be taken as built.

    Raises:
        FileNotFoundError: where it has.
    """
    trained = run_record.read_without_clips(run_dir).num_parameters.get("trainable", 0)
    if trained and not (run_dir / WEIGHTS).is_file():
        raise FileNotFoundError(f"the trained weights are gone: no {WEIGHTS} in '{run_dir}'")


def archive_bytes(arrays: Mapping[str, Any]) -> bytes:
    """Return the content of a compressed ``.npz``."""
    archive = io.BytesIO()
    np.savez_compressed(archive, **arrays)
    return archive.getvalue()


def read_archive(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of an ``.npz``; nothing where there is no such file.

    Raises:
        ValueError: where it is damaged.
    """
    if not path.is_file():
        return {}
    try:
        with np.load(path) as arrays:
            return {key: arrays[key] for key in arrays.files}
    except DAMAGED as error:
        raise ValueError(f"{path.name} is damaged ({error})") from error
