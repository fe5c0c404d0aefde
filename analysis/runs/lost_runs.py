"""Runs that can no longer be read, told apart from bugs: these must not pass for lost runs."""

from __future__ import annotations

import struct
import sys
import zlib
from pickle import UnpicklingError
from traceback import walk_tb
from types import FrameType
from zipfile import BadZipFile

from auralsam2.messages import is_message, message

_DAMAGED_FILE = (BadZipFile, EOFError, UnpicklingError, zlib.error, struct.error)
# Of libraries that are not imported for this.
_DAMAGED_NAMES = frozenset({"SafetensorError", "LibsndfileError"})
_NO_MEMORY = ("out of memory", "allocate memory")
_PACKAGES = frozenset({"auralsam2", "ablations", "analysis", "auralsam2_tools"})
_LIBRARIES = ("site-packages", "dist-packages")


def why_lost(error: Exception) -> str:
    """Say why a run cannot be read any more: its config, weights or data are not as they were.

    That is so for errors that were raised to be read, for damaged files, for too little memory,
    and for what code of the run's own (`custom_imports`) raises.

    Raises:
        Exception: ``error`` itself, where it comes from this project's own code and was not
            raised to be read.
    """
    name = type(error).__name__
    if is_message(error) and not _is_bare_key(error):
        return " ".join(message(error).split())
    lost = isinstance(error, (*_DAMAGED_FILE, MemoryError)) or name in _DAMAGED_NAMES
    short = isinstance(error, RuntimeError) and any(t in str(error).lower() for t in _NO_MEMORY)
    if not (lost or short or _is_of_other_code(error)):
        raise error
    return " ".join(f"{name}: {error}".split())


def _is_bare_key(error: Exception) -> bool:
    """Return whether this project has looked up a key that is not there; names may hold spaces."""
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    return type(error) is KeyError and bool(frames) and _package(frames[-1]) in _PACKAGES


def _is_of_other_code(error: Exception) -> bool:
    """Return whether the innermost frame that is no library's belongs to a file of the user's."""
    packages = [
        _package(frame)
        for frame, _ in walk_tb(error.__traceback__)
        if not any(library in frame.f_code.co_filename for library in _LIBRARIES)
    ]
    own = [package for package in packages if package not in sys.stdlib_module_names]
    return bool(own) and own[-1] not in _PACKAGES


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]
