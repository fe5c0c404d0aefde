from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ablations.grids.plan import PlannedRun
from ablations.runs import attempts, claims
from ablations.runs.run_cell import current_record, record_failure, run_cell
from auralsam2.config import dump
from auralsam2.engine import run_record
from auralsam2.engine.run_folder import OtherRunError


@pytest.fixture
def planned(named_grid, plan_of) -> Callable[[str], PlannedRun]:
    return lambda name: plan_of(named_grid(name, seeds=[1])).runs[0]


def test_a_run_is_trained_once(planned, fake_training) -> None:
    run = planned("good")
    record = run_cell(run, train=fake_training.train)
    again = run_cell(run, train=fake_training.train)
    assert (record.status, record.name, record.seed) == ("done", "good", 1)
    assert (record.axes, record.run_id) == ({"way": "good"}, run.run_id)
    assert again == record
    assert (run.run_dir / "starts").read_text() == "x"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("boom", "RuntimeError: the fuse is burnt"),
        ("nan", "FloatingPointError: the loss is nan at step 4"),
        ("exit", "SystemExit: 3"),
    ],
)
def test_failures_are_recorded_with_their_traceback(planned, fake_training, name, message) -> None:
    run = planned(name)
    record = run_cell(run, train=fake_training.train)
    assert record == run_record.read(run.run_dir)
    assert record.status == "failed" and record.finished
    assert record.error.startswith("Traceback") and record.error.rstrip().endswith(message)


def test_a_failure_before_the_first_record(planned) -> None:
    def train(*_, **__):
        raise FileNotFoundError("no weights")

    run = planned("early")
    record = run_cell(run, train=train)
    assert (record.status, record.name, record.seed) == ("failed", "early", 1)
    assert (record.config_hash, record.run_id) == (run.config_hash, run.run_id)


def test_an_interrupt_passes_and_the_folder_is_resumed(planned, fake_training) -> None:
    run = planned("good")

    def interrupted(cfg, run_dir, **_):
        run_record.write(run_record.RunRecord(status="running", name="good"), run_dir)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_cell(run, train=interrupted)
    assert run_record.read(run.run_dir).status == "running"
    record = run_cell(run, train=fake_training.train)
    assert record.status == "done"
    assert record.notes == ["resumed: was unfinished; duration_s counts the last session only"]
    assert run_record.read(run.run_dir) == record


def test_a_failed_run_can_be_run_again(planned, fake_training) -> None:
    run = planned("good")
    record_failure(run, "the process died")
    assert run_cell(run, train=fake_training.train).status == "done"


def test_a_lost_component_fails_its_run_only(planned, fake_training) -> None:
    run = planned("good")
    run.cfg.custom_imports = dict(imports=["/nowhere/fusion.py"])
    record = run_cell(replace(run), train=fake_training.train)
    assert "cannot import '/nowhere/fusion.py'" in record.error


def test_what_another_process_has_is_left_alone(planned, fake_training) -> None:
    run = planned("good")
    claim = claims.acquire(run.run_dir)
    record = run_cell(run, train=fake_training.train)
    assert (record.status, record.name) == ("running", "good")
    assert not (run.run_dir / "starts").exists() and claims.holder(run.run_dir) == claim


def test_what_another_process_has_just_done_is_not_done_again(
    planned, fake_training, monkeypatch
) -> None:
    run = planned("good")
    acquire = claims.acquire

    def late(run_dir, driver=""):
        run_cell_of_another = run_record.finish(run_record.RunRecord(name="good"), 1.0)
        run_record.write(run_cell_of_another, run_dir)
        return acquire(run_dir, driver)

    monkeypatch.setattr(claims, "acquire", late)
    assert run_cell(run, train=fake_training.train).status == "done"
    assert not (run.run_dir / "starts").exists()


def test_a_run_that_is_taken_over_writes_no_failure(planned) -> None:
    run = planned("good")

    def train(cfg, run_dir, *, progress, **_):
        run_record.write(run_record.RunRecord(status="running", name="good"), run_dir)
        claims.break_claim(run_dir, claims.newest(run_dir), "lost: silent")
        progress.beat()
        progress.step(1, 2, "")

    assert run_cell(run, train=train).status == "running"
    assert run_record.read(run.run_dir).status == "running"
    assert claims.newest(run.run_dir).ended == "lost: silent"


@pytest.mark.parametrize(("name", "status"), [("good", "done"), ("boom", "failed")])
def test_claims_end_as_their_runs_do(planned, fake_training, name: str, status: str) -> None:
    run = planned(name)
    run_cell(run, train=fake_training.train, driver="me")
    claim = claims.newest(run.run_dir)
    assert (claim.ended, claim.driver, claim.number) == (status, "me", 1)
    assert claim.progress["total"] == claim.progress["step"] == 4


def test_another_run_in_the_folder_keeps_its_record(planned) -> None:
    def refused(cfg, run_dir, **_):
        raise OtherRunError(run_dir, "another run (failed)", [], [])

    run = planned("good")
    theirs = run_record.RunRecord(status="failed", run_id="theirs", error="their error")
    run_record.write(theirs, run.run_dir)
    record = run_cell(run, train=refused)
    assert record.status == "failed" and "holds another run" in record.error
    assert run_record.read(run.run_dir) == theirs


@pytest.mark.parametrize("oom_retries", [0, 1, 5])
def test_smaller_batches_go_on_as_they_were_begun(planned, oom_retries: int) -> None:
    run, seen = planned("good"), []

    def interrupted(cfg, run_dir, **_):
        seen.append(attempts.batches(cfg))
        raise KeyboardInterrupt

    record = current_record(run)
    attempts.enter(record, run.cfg, attempts.OUT_OF_MEMORY, "CUDA out of memory")
    run_record.write(record, run.run_dir)  # of the attempt after that, which was killed
    dump(attempts.smaller_batches(run.cfg, 1), run.run_dir / "config.py")
    (run.run_dir / "epoch_1.pth").write_bytes(b"")
    with pytest.raises(KeyboardInterrupt):
        run_cell(run, train=interrupted, oom_retries=oom_retries)
    assert seen == [{"batch_size": 1, "accumulate": 2}]
    assert (run.run_dir / "epoch_1.pth").is_file()
