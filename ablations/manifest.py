"""``grid.json``: which run folders make up a grid, in order, for whoever reads the results.

Layout, schema 1::

    {"schema": 1, "name": "demo", "title": "...", "reference": "sparse+dense" or null,
     "cells": [{"name": "none", "axes": {"prompts": "none"}, "recipe": "0123456789",
                "runs": [{"seed": 0, "run_id": "...", "folder": "runs/none-s0-..."}]}]}

``recipe`` is the identity of config and data without the seed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ablations.grid_file import Grid
from ablations.plan import Plan, PlannedRun

FILE_NAME = "grid.json"
SCHEMA = 1


def write_manifest(grid: Grid, plan: Plan) -> Path:
    """Write ``grid.json`` into the folder of a grid, whole or not at all.

    Seeds that an earlier call ran for the same recipe stay listed, so a grid can grow by
    ``--seeds``; runs of cells whose recipe has changed are dropped, so that a table never mixes
    two versions of a cell.
    """
    by_cell: dict[str, list[PlannedRun]] = {}
    for run in plan.runs:
        by_cell.setdefault(run.cell.name, []).append(run)
    earlier = _earlier_runs(plan.out)
    content = {
        "schema": SCHEMA,
        "name": grid.name,
        "title": grid.title,
        "reference": grid.reference,
        "cells": [_cell(runs, earlier, plan.out) for runs in by_cell.values()],
    }
    plan.out.mkdir(parents=True, exist_ok=True)
    target = plan.out / FILE_NAME
    temporary = target.with_name(f".{FILE_NAME}.{os.getpid()}")
    temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    os.replace(temporary, target)
    return target


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
        "recipe": first.recipe,
        "runs": [listed[seed] for seed in sorted(listed)],
    }


def _earlier_runs(out: Path) -> dict[tuple[str, str], list[dict[str, Any]]]:
    path = out / FILE_NAME
    if not path.is_file():
        return {}
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return {(cell["name"], cell["recipe"]): list(cell["runs"]) for cell in cells}
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: no grid manifest ({error!r}); delete the file") from error
