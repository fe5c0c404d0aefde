"""Results kept on disk to spare work: files that are there whole or not at all.

Whatever is kept can be made again, so that neither a full disk, a folder that cannot be written
nor a damaged file may cost more than the time to make it.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from auralsam2.messages import warn_once
from auralsam2.text_files import write_bytes

# What numpy and zipfile raise at damaged bytes; RuntimeError where these seem to be encrypted.
_DAMAGED = (BadZipFile, EOFError, OSError, RuntimeError, ValueError, zlib.error)


def keep(path: Path, content: bytes) -> bool:
    """Write a file; where that fails, say so once a folder and process, and go on.

    Of several processes that write the same file the last one counts; none sees half of it.

    Returns:
        Whether the file is there.
    """
    try:
        write_bytes(path, content)
    except OSError as error:
        reason = error.strerror or str(error)
        text = f"cannot write '{path}' ({reason}): going on without it, no number depends on it"
        warn_once(__name__, text, key=f"{path.parent.name}: {reason}")
        return False
    return True


def archive_bytes(arrays: Mapping[str, Any]) -> bytes:
    """Return the content of a compressed ``.npz``."""
    archive = io.BytesIO()
    np.savez_compressed(archive, **arrays)
    return archive.getvalue()


def archive_arrays(content: bytes) -> dict[str, NDArray[Any]]:
    """Return the arrays of an ``.npz``.

    Raises:
        ValueError: where it is damaged.
    """
    try:
        archive = np.load(io.BytesIO(content))
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise ValueError("one array, no archive")
        return {key: archive[key] for key in archive.files}
    except _DAMAGED as error:
        raise ValueError(f"damaged ({error})") from error


def read_archive(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of an ``.npz``; nothing where there is no such file.

    Raises:
        ValueError: where it is damaged.
    """
    if not path.is_file():
        return {}
    try:
        return archive_arrays(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ValueError(f"{path.name} is {error}") from error
