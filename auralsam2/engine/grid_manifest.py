"""``grid.json``: which run folders make up a grid, in order, for whoever reads the results.

Layout, schema 1::

    {"schema": 1, "name": "demo", "title": "...", "reference": "sparse+dense" or null,
     "mode": "product", "axes": {"prompts": ["none", "sparse", ...]},
     "cells": [{"name": "none", "axes": {"prompts": "none"}, "config": null,
                "recipe": "0123456789",
                "runs": [{"seed": 0, "run_id": "...", "folder": "runs/none-s0-..."}]}]}

The outer ``axes`` list the names of all values in order; those of a cell are the axes that apply
to it, none for a cell that the grid names itself. ``config`` is what a cell starts from in place of
the grid's base. ``recipe`` is the identity of config and data without the seed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

FILE_NAME = "grid.json"
SCHEMA = 1
RUNS = "runs"
"""Folder of a grid in which its run folders lie."""


class RunEntry(NamedTuple):
    """A run as a grid lists it; two cells may share its folder."""

    cell: str
    seed: int
    run_dir: Path

    def __str__(self) -> str:
        """Name the run for people."""
        return f"{self.cell}, seed {self.seed}"


class GridManifest(NamedTuple):
    """What a grid says of its runs."""

    name: str  # of the grid's file, without .py
    title: str  # of tables and pages
    reference: str | None  # cell that the others are compared with
    entries: list[RunEntry]  # its runs, in order
    cells: list[dict[str, Any]]  # as they stand in the file


def read_manifest(folder: Path) -> GridManifest | None:
    """Return what the grid of a folder says; None where there is none.

    Raises:
        ValueError: for a broken file.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        entries = [
            RunEntry(str(cell["name"]), int(run["seed"]), folder / run["folder"])
            for cell in content["cells"]
            for run in cell["runs"]
        ]
        name, title = str(content.get("name", "")), str(content["title"])
        return GridManifest(name, title, content.get("reference"), entries, content["cells"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path}: no grid file ({error!r}); delete it and run the grid again"
        ) from error
