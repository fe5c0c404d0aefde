from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from ablations.driver import default_jobs, last_lines, pick_executor, run_grid
from ablations.executors import InlineExecutor, LocalExecutor
from ablations.grid import GridError
from ablations.grid_file import Grid
from ablations.plan import Plan
from ablations.run_cell import record_failure
from auralsam2.engine import run_record


@pytest.fixture
def drive(
    named_grid: Callable[..., Grid], plan_of: Callable[..., Plan], fake_training, console: Console
):
    """Plan and run cells of these names with the fake training, in this process."""

    def call(*names: str, work=fake_training.work, executor=None, seeds=(0,), **arguments):
        grid = named_grid(*names, seeds=list(seeds))
        executor = executor or InlineExecutor()
        return run_grid(grid, plan_of(grid), executor, work=work, console=console, **arguments)

    return call


def labels(runs) -> list[str]:
    return [run.label for run in runs]


def starts(tmp_path: Path) -> dict[str, int]:
    """How often each run has been started."""
    found = (tmp_path / "out" / "runs").glob("*/starts")
    return {path.parent.name.rpartition("-")[0]: len(path.read_text()) for path in found}


def test_others_complete_when_one_fails(drive, tmp_path: Path, console: Console) -> None:
    result = drive("good", "boom", "better", seeds=(0, 1))
    assert labels(result.finished) == [
        "good, seed 0",
        "better, seed 0",
        "good, seed 1",
        "better, seed 1",
    ]
    assert [run.label for run, _ in result.failed] == ["boom, seed 0", "boom, seed 1"]
    assert "RuntimeError: the fuse is burnt" in result.failed[0][1]
    assert (tmp_path / "out" / "grid.json").is_file()
    assert "good, seed 0: done, test J 0.500 [1/6" in console.file.getvalue()
    assert "boom, seed 0: failed, RuntimeError: the fuse is burnt" in console.file.getvalue()


def test_the_next_call_does_what_is_left_only(drive, tmp_path: Path, fake_training) -> None:
    def stopped(item, progress):
        if item.cell.name == "better":
            raise KeyboardInterrupt
        return fake_training.work(item, progress)

    with pytest.raises(KeyboardInterrupt):
        drive("good", "better", work=stopped)
    result = drive("good", "better")
    assert (labels(result.skipped), labels(result.finished)) == (
        ["good, seed 0"],
        ["better, seed 0"],
    )
    assert starts(tmp_path) == {"good-s0": 1, "better-s0": 1}
    again = drive("good", "better")
    assert len(again.skipped) == 2 and again.finished == []
    assert starts(tmp_path) == {"good-s0": 1, "better-s0": 1}


def test_failed_runs_wait_until_asked_for(drive, tmp_path: Path, fake_training) -> None:
    def failing(item, progress):
        return record_failure(item, "Traceback\nOSError: disk full")

    drive("good", work=failing)
    assert [error for _, error in drive("good").failed] == ["Traceback\nOSError: disk full"]
    assert starts(tmp_path) == {}
    assert labels(drive("good", retry_failed=True).finished) == ["good, seed 0"]


def test_a_killed_process_leaves_a_failed_record(drive, tmp_path: Path) -> None:
    result = drive("die", "good", executor=LocalExecutor(1))
    ((run, error),) = result.failed
    assert "signal 9" in error and labels(result.finished) == ["good, seed 0"]
    record = run_record.read(run.run_dir)
    assert (record.status, record.error) == ("failed", error)


def test_an_exception_of_the_executor_leaves_a_failed_record(drive) -> None:
    def broken(item, progress):
        raise MemoryError("no room")

    ((run, error),) = drive("good", work=broken).failed
    assert error.rstrip().endswith("MemoryError: no room")
    assert run_record.read(run.run_dir).status == "failed"


def test_shared_runs_are_trained_once(
    write_grid, plan_of, fake_training, console, tmp_path
) -> None:
    values = [dict(name="x", set={}), dict(name="y", set={"optim.epochs": 2})]
    grid = write_grid(axes={"way": values})
    result = run_grid(
        grid, plan_of(grid), InlineExecutor(), work=fake_training.work, console=console
    )
    assert labels(result.finished) == ["x, seed 0"]
    assert starts(tmp_path) == {"x-s0": 1}


def test_nothing_starts_where_a_cell_has_problems(named_grid, plan_of, tmp_path) -> None:
    grid = named_grid("good")
    with pytest.raises(GridError, match=r"grid 'tiny': 1 problem\n  - all|cell 'good': .*epocs"):
        run_grid(grid, plan_of(grid, overrides={"optim.epocs": 1}), InlineExecutor())
    assert not (tmp_path / "out").exists()


def test_default_jobs(named_grid, plan_of, monkeypatch) -> None:
    runs = plan_of(named_grid("a", "b", "c"), overrides={"runtime.device": "cpu"}).runs
    monkeypatch.setattr("ablations.driver.num_cores", lambda: 2)
    assert default_jobs(runs) == 2
    monkeypatch.setattr("ablations.driver.num_cores", lambda: 64)
    assert (default_jobs(runs), default_jobs(runs * 3)) == (3, 4)
    on_gpu = plan_of(named_grid("a", "b"), overrides={"runtime.device": "cuda"}).runs
    assert default_jobs(on_gpu) == 1


def test_picked_executors(named_grid, plan_of) -> None:
    plan = plan_of(named_grid("a", "b", "c"), overrides={"runtime.device": "cuda"})
    assert isinstance(pick_executor(0, plan), InlineExecutor)
    assert pick_executor(3, plan).num_processes == 3
    assert pick_executor(None, plan).num_processes == 1
    with pytest.raises(ValueError, match="got -1"):
        pick_executor(-1, plan)


def test_last_lines() -> None:
    assert last_lines("a\n\nb\nc\n\n", 2) == "b\nc"
