"""A run whose record is damaged, among others: they are trained, and it is, and nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ablations.executors.local import InlineExecutor
from ablations.grids.file import Grid
from ablations.grids.plan import Plan
from ablations.run_grid import run_grid
from ablations.runs.run_cell import record_failure
from auralsam2.engine import run_record
from auralsam2.engine.progress import Progress

DAMAGE = {
    "truncated": lambda text: text[:200],
    "empty": lambda text: b"",
    "other schema": lambda text: json.dumps({**json.loads(text), "schema": 99}).encode(),
    "bytes": lambda text: b'{"name": "\xff"}',
    "nested": lambda text: b"[" * 100_000,
}


@pytest.fixture
def plan(named_grid, plan_of) -> Callable[[], tuple[Grid, Plan]]:
    def call() -> tuple[Grid, Plan]:
        grid = named_grid(*DAMAGE, "whole", seeds=[0])
        return grid, plan_of(grid)

    return call


def damage(path: Path, how: str) -> bytes:
    path.write_bytes(DAMAGE[how](path.read_bytes()))
    return path.read_bytes()


def test_a_grid_trains_them_and_all_others_and_sets_their_records_aside(
    plan, fake_training, console
) -> None:
    grid, first = plan()
    damaged = {run.cell.name: run for run in first.runs if run.cell.name in DAMAGE}
    written = {}
    for name, run in damaged.items():
        fake_training.work(run, Progress())
        written[name] = damage(run.run_dir / run_record.FILE_NAME, name)

    grid, again = plan()
    assert again.problems == []
    for name, run in damaged.items():
        (note,) = [note for note in again.notes if note.startswith(f"{name}, seed 0: ")]
        assert f"the record in '{run.run_dir}' cannot be read; it is set aside there" in note
    result = run_grid(grid, again, InlineExecutor(), work=fake_training.work, console=console)
    assert {run.cell.name for run in result.finished} == {*DAMAGE, "whole"} and not result.failed
    for name, run in damaged.items():
        assert (run.run_dir / "record.damaged-1.json").read_bytes() == written[name]
        assert run_record.read(run.run_dir).notes == [
            "resumed: was damaged, its record is record.damaged-1.json; duration_s counts the last "
            "session only"
        ]
    assert plan()[1].notes == []


def test_a_failure_takes_no_damaged_record_s_place(plan, fake_training) -> None:
    run = plan()[1].runs[0]
    for number in (1, 2):
        fake_training.work(run, Progress())
        written = damage(run.run_dir / run_record.FILE_NAME, "truncated")
        record_failure(run, "its process died")
        assert run_record.read(run.run_dir).status == "failed"
        assert (run.run_dir / f"record.damaged-{number}.json").read_bytes() == written
