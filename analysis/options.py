"""Which runs the tools read, and how far these may differ from each other."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analysis.runs.results import Results


def add_arguments(parser: argparse._ActionsContainer) -> None:
    """Add the options that let runs stand together which `read_runs` would refuse."""
    add = parser.add_argument
    add("--allow-mixed-data", action="store_true", help="let runs on different data stand together")
    releases = "let runs with labels of different releases stand together"
    add("--mix-label-sources", action="store_true", help=releases)


def read_runs(options: argparse.Namespace, folders: Path | Sequence[Path]) -> Results:
    """Read the runs below folders, compared with the cell that ``--reference`` names, if any.

    Raises:
        NoResultsError: where there are none.
        ValueError: where they must not stand together, or there is no such cell.
    """
    from analysis.runs.results import load_runs, with_reference

    results = load_runs(
        folders,
        allow_mixed_data=options.allow_mixed_data,
        mix_label_sources=options.mix_label_sources,
    )
    if getattr(options, "reference", None) is not None:
        results = with_reference(results, options.reference)
    return results
