from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from ablations.driver import trains_on_gpu
from ablations.executors.local import InlineExecutor, LocalExecutor
from ablations.run_grid import one_line, run_grid
from ablations.runs import claims
from ablations.runs.run_cell import current_record, record_failure
from auralsam2.engine import run_record

from .conftest import labels


def starts(tmp_path: Path) -> dict[str, int]:
    """How often each run has been started."""
    found = (tmp_path / "out" / "runs").glob("*/starts")
    return {path.parent.name.rsplit("-", 2)[0]: len(path.read_text()) for path in found}


def test_others_complete_when_one_fails(drive, tmp_path: Path, console) -> None:
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
    def stopped(item, progress, **how):
        if item.cell.name == "better":
            raise KeyboardInterrupt
        return fake_training.work(item, progress, **how)

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
    def failing(item, progress, **_):
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
    def broken(item, progress, **_):
        raise MemoryError("no room")

    ((run, error),) = drive("good", work=broken).failed
    assert error.rstrip().endswith("MemoryError: no room")
    assert run_record.read(run.run_dir).status == "failed"


@pytest.mark.parametrize("name", ["oom", "glutton"])
def test_out_of_memory_is_tried_again_in_smaller_batches(drive, name: str, console) -> None:
    executor = LocalExecutor(1)  # of "glutton" the system kills the process
    overrides = {"data.batch_size": 8}
    ((run, _),) = drive(name, executor=executor, overrides=overrides, oom_retries=1).failed
    sizes = [attempt["batch_size"] for attempt in run_record.read(run.run_dir).attempts]
    assert sizes == [8, 4]
    # One more halving does it, and the next call goes on by itself.
    assert drive(name, executor=executor, overrides=overrides, oom_retries=1).finished == []
    result = drive(name, executor=executor, overrides=overrides, oom_retries=2)
    assert labels(result.finished) == [f"{name}, seed 0"]
    record = run_record.read(run.run_dir)
    assert [a["ended"] for a in record.attempts] == ["out of memory"] * 2
    assert (record.run_id, record.config_hash) == (run.run_id, run.config_hash)
    assert (
        "ran out of memory 2 times: trained with batches of 2, 4 accumulated, in place of 8, 1"
        in (record.notes[0])
    )
    assert "ran out of memory; comes again in smaller batches" in console.file.getvalue()


def test_out_of_memory_fails_where_nothing_else_is_asked(drive) -> None:
    ((run, error),) = drive("oom", overrides={"data.batch_size": 8}).failed
    assert error.rstrip().endswith("out of memory")
    assert run_record.read(run.run_dir).attempts[0]["batch_size"] == 8
    assert starts_of(run) == 1


def test_a_part_of_a_grid(drive, tmp_path: Path) -> None:
    result = drive("good", "better", seeds=(0, 1), only=["cell=better", "seed=1"])
    assert labels(result.finished) == ["better, seed 1"]
    manifest = json.loads((tmp_path / "out" / "grid.json").read_text())
    assert [len(cell["runs"]) for cell in manifest["cells"]] == [2, 2], "the grid is the whole one"
    with pytest.raises(ValueError, match="unknown value 'x'"):
        drive("good", only=["cell=x"])


def test_checkpoints_of_done_runs_go_where_asked(drive, fake_training) -> None:
    def leaving(item, progress, **how):
        item.run_dir.mkdir(parents=True, exist_ok=True)
        (item.run_dir / "epoch_1.pth").write_bytes(b"12345")
        return fake_training.work(item, progress, **how)

    assert drive("good", "boom", work=leaving).freed_bytes == 0
    assert drive("good", "boom", deletes_checkpoints=True).freed_bytes == 5
    other = {"data.batch_size": 3}
    assert drive("good", work=leaving, deletes_checkpoints=True, overrides=other).freed_bytes == 5


def test_stopped_runs_are_settled_until_asked_for(drive, fake_training, console) -> None:
    def pruned(item, progress, **_):
        record = run_record.stop(current_record(item), "pruned at epoch 2", 1.0)
        run_record.write(record, item.run_dir)
        return record

    for _ in range(2):
        result = drive("good", work=pruned)
        assert [(run.label, why) for run, why in result.stopped] == [
            ("good, seed 0", "pruned at epoch 2")
        ]
    assert "good, seed 0: stopped, pruned at epoch 2" in console.file.getvalue()
    assert labels(drive("good", retry_failed=True).finished) == ["good, seed 0"]


def test_a_lost_process_does_not_spoil_a_run_that_another_driver_took(drive, console) -> None:
    taken = []

    def dies_and_is_taken(item, progress, **_):
        claim = claims.acquire(item.run_dir, "another driver")
        taken.append((item, claim))
        raise MemoryError("no room")  # as if the process were gone

    def settle(*_):
        item, claim = taken[0]
        run_record.write(run_record.finish(current_record(item), 1.0), item.run_dir)
        claims.end(item.run_dir, claim, "done")

    console.print = settle_after(console.print, "another process has it", settle)
    result = drive("good", work=dies_and_is_taken)
    assert labels(result.elsewhere) == ["good, seed 0"] and result.failed == []


def settle_after(print_, text: str, call):
    def printing(line, **arguments):
        print_(line, **arguments)
        if text in str(line):
            call()

    return printing


def starts_of(run) -> int:
    return len((run.run_dir / "starts").read_text())


def test_a_disk_that_cannot_be_written_ends_its_run_only(drive, fake_training) -> None:
    def work(item, progress, **how):
        if item.cell.name == "good":
            item.run_dir.mkdir(parents=True, exist_ok=True)
            (item.run_dir / "claims").write_text("where a folder belongs")
        return fake_training.work(item, progress, **how)

    result = drive("good", "better", work=work)
    ((run, error),) = result.failed
    assert run.cell.name == "good" and "no record could be written" in error
    assert labels(result.finished) == ["better, seed 0"]


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


def test_runs_on_a_gpu(named_grid, plan_of) -> None:
    def configs(device: str):
        plan = plan_of(named_grid("a"), overrides={"runtime.device": device})
        return [run.cfg for run in plan.runs]

    assert trains_on_gpu(configs("cuda:1")) and not trains_on_gpu(configs("cpu"))


def test_the_line_of_a_run_leaves_scores_after_clicks_to_the_tables() -> None:
    splits = ("test", "test_clicks_0", "test_clicks_3_unheard", "test_audio_silence")
    record = SimpleNamespace(status="done", metrics={split: {"J": 0.5} for split in splits})
    assert one_line(record) == "test J 0.500, test_audio_silence J 0.500"
