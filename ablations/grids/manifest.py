"""Write ``grid.json``; `auralsam2.engine.grid_manifest` says what it holds, and reads it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ablations.grids.file import Grid
from ablations.grids.plan import Plan, PlannedRun
from auralsam2.engine.grid_manifest import FILE_NAME, SCHEMA, read_manifest
from auralsam2.engine.identity import parse
from auralsam2.text_files import write_text

Listed = dict[int, dict[str, Any]]
"""Seed -> its run as the file lists it."""


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
    runs: Sequence[PlannedRun], earlier: dict[tuple[str, str], Listed], out: Path
) -> dict[str, Any]:
    cell, recipe = runs[0].cell, runs[0].recipe
    listed = earlier.get((cell.name, recipe), {}) | {
        run.cell.seed: {
            "seed": run.cell.seed,
            "run_id": run.run_id,
            "folder": run.run_dir.relative_to(out).as_posix(),
        }
        for run in runs
    }
    return {
        "name": cell.name,
        "axes": dict(cell.axes),
        "config": cell.config,
        "recipe": recipe,
        "runs": [listed[seed] for seed in sorted(listed)],
    }


def _earlier_runs(plan: Plan) -> dict[tuple[str, str], Listed]:
    """Return the runs that count still, by name and recipe of their cell."""
    manifest = read_manifest(plan.out)
    codes = {parse(planned.run_id).code for planned in plan.runs}
    return {
        (cell["name"], cell.get("recipe", "")): {
            run["seed"]: run
            for run in cell["runs"]
            if plan.keep_code or parse(run.get("run_id", "")).code in codes
        }
        for cell in (manifest.cells if manifest else ())
    }
