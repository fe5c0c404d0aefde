"""What a file of a grid or a sweep states: plain Python that is run for its names."""

from __future__ import annotations
import __future__ as future

import runpy
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any


class UnreadableError(ValueError):
    """A file that cannot be run, or wants what such a file does not do."""


def read_statements(path: Path) -> dict[str, Any]:
    """Run a file and return what it states; names with an underscore are its own variables.

    Raises:
        UnreadableError: where it raises anything, or wants to inherit.
    """
    try:
        names = runpy.run_path(str(path))
    except Exception as error:  # such a file is a program: it may raise anything
        raise UnreadableError(f"{type(error).__name__}: {error}") from error
    if "_base_" in names:
        raise UnreadableError("_base_: this file inherits nothing; name a config as base")
    code = (ModuleType, FunctionType, type, future._Feature)
    return {k: v for k, v in names.items() if not k.startswith("_") and not isinstance(v, code)}
