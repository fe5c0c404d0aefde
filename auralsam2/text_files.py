r"""Texts to files, whole or not at all, whatever characters they hold.

Names and messages come from outside: a file's name may hold bytes that are no text, which Python
carries as lone surrogates and UTF-8 refuses. Whatever this package writes as text goes through
here, where such a character becomes its escape, ``\udcff``.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

ERRORS = "backslashreplace"
"""What is done with characters that an encoding does not have."""


def encode(text: str) -> bytes:
    """Return a text's bytes in UTF-8."""
    return text.encode("utf-8", ERRORS)


def as_written(value: Any) -> Any:
    """Return a text as `encode` writes it, or the texts in a dict or list."""
    if isinstance(value, str):
        return encode(value).decode()
    if isinstance(value, dict):
        return {as_written(key): as_written(item) for key, item in value.items()}
    return [as_written(item) for item in value] if isinstance(value, list) else value


def json_text(content: Any) -> str:
    """Return content as JSON in lines; a number that is none, or infinite, is null."""
    return json.dumps(_nan_to_null(content), indent=1, allow_nan=False) + "\n"


def _nan_to_null(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _nan_to_null(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_nan_to_null(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_text(path: Path, text: str) -> Path:
    """Write a text beside the target, then rename, and return the path.

    Folders are made where they are missing; line ends are those of the text.
    """
    return write_bytes(path, encode(text))


def write_csv(path: Path, rows: Iterable[Iterable[object]]) -> Path:
    """Like `write_text`, of rows; the first one is the header."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return write_text(path, text.getvalue())


def write_bytes(path: Path, content: bytes) -> Path:
    """Like `write_text`; the content is on the disk when this returns."""
    with replacing(path) as unfinished, unfinished.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a file to write that takes the place of ``path`` once it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Several processes may write the same file, on several machines.
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        yield unfinished
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def tolerate_any_text(stream: IO[str]) -> None:
    """Let a stream, e.g. standard output, escape what its encoding does not have."""
    if hasattr(stream, "reconfigure"):  # not where a caller has put something else in its place
        stream.reconfigure(errors=ERRORS)
