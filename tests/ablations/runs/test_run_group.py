from __future__ import annotations

import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from ablations.grids.plan import PlannedRun
from ablations.runs.processes import output_to
from ablations.runs.run_group import RunGroup, run_group
from auralsam2.engine import run_record
from auralsam2.engine.progress import Progress

from ..conftest import Heard


@pytest.fixture
def group(named_grid, plan_of) -> RunGroup:
    return RunGroup(tuple(plan_of(named_grid("one", "two", "three")).runs))


def test_each_run_tells_and_writes_for_itself(group: RunGroup, fake_training) -> None:
    heard = Heard()
    with output_to(group.run_dir):
        ended = run_group(group, heard, work=fake_training.work)
    assert [(record.name, error) for record, error in ended] == [
        ("one", None),
        ("two", None),
        ("three", None),
    ]
    told = [arguments[:2] for call, arguments in heard.calls if call == "of_member"]
    assert [told.count((i, "step")) for i in range(3)] == [4, 8, 12]
    for run in group.runs:
        assert (run.run_dir / "log.txt").read_text().count("training") == 1


def test_a_run_without_a_log_leaves_the_others_alone(group: RunGroup, fake_training) -> None:
    folder = group.runs[1].run_dir
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("a file where the folder is to be")
    with output_to(group.run_dir):
        ended = run_group(group, Progress(), work=fake_training.work)
    assert [record and record.status for record, _ in ended] == ["done", None, "done"]
    assert "FileExistsError" in ended[1][1]


def test_a_single_run_needs_no_group(group: RunGroup, fake_training) -> None:
    told = []
    record = run_group(
        group.runs[0], SimpleNamespace(), work=lambda item, progress: told.append(item) or 3
    )
    assert record == 3 and told == [group.runs[0]]


def test_an_interrupt_ends_all_at_their_next_turn(
    group: RunGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work, reached = threading.Event(), []

    def work(run: PlannedRun, progress: Progress, *, train) -> object:
        hook = train.args[0]
        reached.append(run.cell.name)
        if len(reached) == 3:
            at_work.set()
        for batch in range(10_000):
            hook.turn((0, 1, batch))
        raise AssertionError("nobody stopped it")

    join, interrupts = threading.Thread.join, [KeyboardInterrupt]

    def interrupted(thread: threading.Thread, timeout: float | None = None) -> None:
        if interrupts:
            assert at_work.wait(10)
            raise interrupts.pop()
        join(thread, timeout)

    monkeypatch.setattr(threading.Thread, "join", interrupted)
    with output_to(group.run_dir), pytest.raises(KeyboardInterrupt):
        run_group(group, Progress(), work=work)
    assert reached == ["one", "two", "three"]
    assert not any(
        thread.name == run.label for thread in threading.enumerate() for run in group.runs
    )


def test_runs_on_a_lost_gpu_are_left_for_another_process(
    group: RunGroup, fake_training, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    cuda = SimpleNamespace(is_initialized=lambda: lost, synchronize=gone)
    lost = False

    def work(run: PlannedRun, progress: Progress, **how: object) -> object:
        nonlocal lost
        if run.cell.name == "two":
            monkeypatch.setattr(sys.modules["torch"], "cuda", cuda)
            lost = True
            raise RuntimeError("an illegal memory access")
        return fake_training.work(run, progress, **how)

    with output_to(group.run_dir):
        ended = run_group(group, Progress(), work=work)
    monkeypatch.undo()
    assert ended[0][0].status == "done" and "illegal memory" in ended[1][1]
    assert ended[2][0].status == "running"
    with pytest.raises(FileNotFoundError):
        run_record.read(Path(group.runs[2].run_dir))
