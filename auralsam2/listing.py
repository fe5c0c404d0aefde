"""What lies in a folder, without what operating systems leave there."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from pathlib import Path

CLUTTER = ("thumbs.db", "ehthumbs.db", "desktop.ini")
"""Written by Windows; what macOS and Linux write (``._0.jpg``, ``.DS_Store``) is hidden."""


def is_clutter(name: str) -> bool:
    """Whether a name is a hidden one or a system's own, and so no file of anybody's."""
    return name.startswith(".") or name.lower() in CLUTTER


def files_in(folder: Path, *patterns: str) -> list[Path]:
    """Files of a folder that match any of some patterns, such as ``*.py``, sorted by name.

    Without a pattern all are taken; case matters. No folder is the same as an empty one.
    """
    return [
        folder / entry.name
        for entry in _entries(folder)
        if not entry.is_dir() and _matches(entry.name, patterns)
    ]


def folders_in(folder: Path) -> list[Path]:
    """Folders in a folder, sorted by name; none where it does not exist."""
    return [folder / entry.name for entry in _entries(folder) if entry.is_dir()]


def files_below(folder: Path, *patterns: str) -> list[Path]:
    """Files of a folder and of all folders below it, sorted; see :func:`files_in`.

    Hidden folders are not entered, and links to folders neither.
    """
    found = files_in(folder, *patterns)
    for below in folders_in(folder):
        found += [] if below.is_symlink() else files_below(below, *patterns)
    return sorted(found)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            kept = [entry for entry in entries if not is_clutter(entry.name)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(kept, key=lambda entry: entry.name)  # sorting paths takes three times as long


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)
