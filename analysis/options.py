"""Options that the tools of analysis share: which runs they read, and what is measured of them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auralsam2.command_line import Whole, add_overrides, input_path, output_folder
from auralsam2.messages import unknown_name

if TYPE_CHECKING:
    from analysis.runs.results import Results


def add_mixing(parser: argparse._ActionsContainer) -> None:
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


def add_measuring(parser: argparse._ActionsContainer, cells: str) -> None:
    """Add the options of what is measured on trained weights, for `measuring`.

    ``cells`` says what ``--cells`` names.
    """
    add = parser.add_argument
    add("folder", type=input_path, metavar="DIR", help="of a grid, with finished runs")
    out = "of figures and table; default: DIR/figures"
    add("--out", type=output_folder, metavar="DIR", help=out)
    add("--cells", nargs="+", metavar="CELL", help=f"{cells}; default: all")
    add("--max-clips", type=Whole(1), metavar="N", help="the first clips of the split only")
    add("--split", default="test", help="whose clips (default: test)")
    add("--again", action="store_true", help="also where the runs' folders have the numbers")
    add_overrides(
        parser, "overrides of the runs' configs, e.g. data.root=... where the data have moved"
    )
    add_mixing(parser)


def measuring(options: argparse.Namespace, words: str) -> dict[str, Any]:
    """Return the arguments that every `measure` takes; ``words`` say what takes long."""
    from auralsam2.config import parse_overrides

    return {
        "cells": options.cells,
        "again": options.again,
        "overrides": parse_overrides(options.set),
        "track": tracking(words),
    }


def tracking(words: str, **how: Any) -> Callable[[Iterable[Any]], Iterable[Any]]:
    """Return what shows on the terminal how far something is that takes long."""
    from rich.console import Console
    from rich.progress import track

    return partial(track, description=words, console=Console(stderr=True), **how)


def tell(notes: Iterable[str], paths: Iterable[Path]) -> None:
    """Print what a reader must know, and the files."""
    for note in notes:
        print(f"note: {note}")
    for path in paths:
        print(path)


def name_problems(kind: str, asked: Sequence[str] | None, known: Iterable[str]) -> list[str]:
    """Return what is wrong with a list of names that a caller asks for.

    Args:
        kind: what they are names of, e.g. ``"cell"``.
        asked: the names; None for all.
        known: the names that would do.

    Returns:
        One problem for every unknown name, with the known ones; one for a single text, whose
        letters would be taken for names, and for a list of none.
    """
    if asked is None:
        return []
    if isinstance(asked, str):
        return [f"{kind}s must be a list of names, got the text {asked!r}; write [{asked!r}]"]
    listed = list(known)
    if not asked:
        return [f"name one {kind} at least; known: {', '.join(listed)}"]
    return [unknown_name(kind, name, listed) for name in asked if name not in listed]
