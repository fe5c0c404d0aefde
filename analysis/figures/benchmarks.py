"""The figure of a benchmark, from the JSON that ``auralsam2 benchmark --json`` has written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analysis.figures import prompting, step_parts

FIGURES = {"measured": step_parts, "prompting": prompting}
"""What a benchmark has found, by its key in the JSON -> the module that draws it."""


def read(path: Path) -> dict[str, Any]:
    """What a benchmark has kept.

    Raises:
        ValueError: where the file holds no such thing.
    """
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"'{path}' is no JSON ({error})") from error
    if not isinstance(plain, dict) or not FIGURES.keys() & plain.keys():
        raise ValueError(
            f"'{path}' was not written by `auralsam2 benchmark --json`: it has none of "
            f"{', '.join(FIGURES)}"
        )
    return plain


def make(plain: Mapping[str, Any], folder: Path, name: str) -> list[Path]:
    """Write the figures of what `read` gives as ``name.*`` into a folder; their paths.

    Raises:
        ValueError: where a part lacks what a benchmark writes, as after an edit by hand.
    """
    written: list[Path] = []
    for key, figure in FIGURES.items():
        try:
            written += figure.make(plain[key], folder, name) if key in plain else []
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(
                f"{key!r} is not as `auralsam2 benchmark --json` writes it "
                f"({type(error).__name__}: {error}); run the benchmark again"
            ) from error
    return written
