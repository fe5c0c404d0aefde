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
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ablations.grids.file import Grid
from ablations.grids.plan import Plan, PlannedRun
from auralsam2.engine.identity import parse
from auralsam2.text_files import write_text

FILE_NAME = "grid.json"
SCHEMA = 1


def write_manifest(grid: Grid, plan: Plan) -> Path:
    """Write ``grid.json`` into the folder of a grid, whole or not at all.

    Seeds that an earlier call ran for the same recipe stay listed, so a grid can grow by
    ``--seeds``; runs of cells whose recipe has changed are dropped, and runs by other code where
    the plan does not keep them, so that a table never mixes two versions of a cell.
    """
    by_cell: dict[str, list[PlannedRun]] = {}
    for run in plan.runs:
        by_cell.setdefault(run.cell.name, []).append(run)
    earlier = _earlier_runs(plan)
    content = {
        "schema": SCHEMA,
        "name": grid.name,
        "title": grid.title,
        "reference": grid.reference,
        "mode": grid.mode,
        "axes": {axis.name: [value.name for value in axis.values] for axis in grid.axes},
        "cells": [_cell(runs, earlier, plan.out) for runs in by_cell.values()],
    }
    return write_text(plan.out / FILE_NAME, json.dumps(content, indent=1) + "\n")


def _cell(
    runs: Sequence[PlannedRun], earlier: dict[tuple[str, str], list[dict[str, Any]]], out: Path
) -> dict[str, Any]:
    first = runs[0]
    listed = {
        entry["seed"]: entry for entry in earlier.get((first.cell.name, first.recipe), [])
    } | {
        run.cell.seed: {
            "seed": run.cell.seed,
            "run_id": run.run_id,
            "folder": run.run_dir.relative_to(out).as_posix(),
        }
        for run in runs
    }
    return {
        "name": first.cell.name,
        "axes": dict(first.cell.axes),
        "config": first.cell.config,
        "recipe": first.recipe,
        "runs": [listed[seed] for seed in sorted(listed)],
    }


def _earlier_runs(plan: Plan) -> dict[tuple[str, str], list[dict[str, Any]]]:
    path = plan.out / FILE_NAME
    if not path.is_file():
        return {}
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return {
            (cell["name"], cell["recipe"]): [run for run in cell["runs"] if _counts(run, plan)]
            for cell in cells
        }
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: no grid manifest ({error!r}); delete the file") from error


def _counts(run: dict[str, Any], plan: Plan) -> bool:
    codes = {parse(planned.run_id).code for planned in plan.runs}
    return plan.keep_code or parse(run["run_id"]).code in codes
