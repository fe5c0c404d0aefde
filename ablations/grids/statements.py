"""What a file of a grid or a sweep states: plain Python that is run for its names."""

from __future__ import annotations
import __future__ as future

import runpy
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from auralsam2.messages import ProblemsError, unknown_name

Known = Mapping[str, tuple[type, ...]]
"""Key of a file -> types of its value, the first of which is told."""


def read_statements(path: Path, error: type[ProblemsError]) -> dict[str, Any]:
    """Run a file and return what it states; names with an underscore are its own variables.

    Args:
        path: of the file.
        error: raised where the file raises anything, or wants to inherit.
    """
    try:
        names = runpy.run_path(str(path))
    except Exception as raised:  # such a file is a program: it may raise anything
        raise error([f"{type(raised).__name__}: {raised}"], source=str(path)) from raised
    if "_base_" in names:
        said = "_base_: this file inherits nothing; name a config as base"
        raise error([said], source=str(path))
    code = (ModuleType, FunctionType, type, future._Feature)
    return {k: v for k, v in names.items() if not k.startswith("_") and not isinstance(v, code)}


def key_problems(stated: Iterable[str], known: Known, required: Iterable[str]) -> Iterator[str]:
    """Yield the keys that nobody knows, and those that are missing."""
    yield from (unknown_name("key", key, known) for key in stated if key not in known)
    yield from (f"missing key {key!r}" for key in required if key not in stated)


def mistyped(stated: Mapping[str, Any], known: Known) -> dict[str, str]:
    """Return key -> problem of the values that have another type; a bool is no int."""
    return {
        key: f"{key}: got {stated[key]!r}, wanted {types[0].__name__}"
        for key, types in known.items()
        if key in stated
        and not (
            isinstance(stated[key], types) and (type(stated[key]) is not bool or bool in types)
        )
    }


def beside(path: Path, name: str) -> str:
    """Return the path of a config that a file names relative to itself; other names as they are."""
    config = path.parent / name
    return str(config) if name.endswith(".py") and config.is_file() else name
