"""Weights that come with the package, and reading weight files of any origin safely."""

from __future__ import annotations

import os
from pathlib import Path

from auralsam2.models.weights.reading import read_state as read_state
from auralsam2.models.weights.reading import weight_file
from auralsam2.weight_files import BUILTIN, builtin_file


def locate(path: str | os.PathLike[str]) -> Path:
    """The file behind a path, a folder of transformers or ``builtin://NAME``."""
    text = os.fspath(path)
    if text.startswith(BUILTIN):
        return builtin_file(text)
    return weight_file(Path(os.path.expanduser(text)))
