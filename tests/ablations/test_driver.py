from __future__ import annotations

from pathlib import Path

import pytest

from ablations.grids.plan import PlannedRun
from ablations.options import Options
from ablations.run_grid import GridDriver, GridResult
from ablations.runs import attempts, claims
from ablations.runs.run_cell import current_record, record_failure
from auralsam2.engine import run_record

from .conftest import Clock, claim_elsewhere


@pytest.fixture
def runs(named_grid, plan_of) -> list[PlannedRun]:
    return plan_of(named_grid("a", "b", "c")).runs


class Told:
    """A display that keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.left: list[str] = []
        self.ended: list[tuple[str, str]] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def run_left(self, label: str, text: str) -> None:
        self.left.append(f"{label}: {text}")

    def run_finished(self, label: str, state: str, text: str) -> None:
        self.ended.append((label.partition(",")[0], state))


@pytest.fixture
def settled() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def make(runs, settled):
    """Return the driver of a grid's runs, and what it tells."""

    def call(stale_s: float = 1000.0) -> tuple[GridDriver, list[str]]:
        told = Told()
        told.ended = settled
        driver = GridDriver(runs, GridResult(), told, Options(stale_s=stale_s), Clock(10))
        return driver, told.said

    return call


def finish(run: PlannedRun) -> None:
    run_record.write(run_record.finish(current_record(run), 1.0), run.run_dir)


def test_runs_come_in_order_and_end(make, runs) -> None:
    work, _ = make()
    assert [next(work) for _ in runs] == runs
    assert next(work) is None, "one of them may come back"
    for run in runs:
        work.running.discard(run.run_dir)
    with pytest.raises(StopIteration):
        next(work)


def test_what_others_hold_comes_last(make, runs, settled) -> None:
    claim = claim_elsewhere(runs[0].run_dir)
    work, told = make()
    assert [next(work), next(work), next(work)] == [*runs[1:], None]
    work.running.discard(runs[1].run_dir)
    assert told == [], "there is something to do here"
    work.running.discard(runs[2].run_dir)
    assert next(work) is None
    assert told[-1].startswith("waiting for 1 runs of others: a, seed 0 (process ")
    claims.end(runs[0].run_dir, claim, "interrupted")
    assert next(work) is runs[0] and settled == []


def test_what_others_do_is_settled(make, runs, settled) -> None:
    claim = claim_elsewhere(runs[0].run_dir)
    work, _ = make()
    next(work), next(work), next(work)
    finish(runs[0])
    claims.end(runs[0].run_dir, claim, "done")
    assert next(work) is None
    assert settled == [("a", "done")]


def test_what_others_did_meanwhile_is_not_handed_out(make, runs, settled) -> None:
    work, _ = make()
    finish(runs[1])
    assert [next(work), next(work)] == [runs[0], runs[2]]
    assert settled == [("b", "done")]


def test_a_run_that_failed_before_is_tried_but_not_one_that_failed_elsewhere(
    make, runs, settled
) -> None:
    record_failure(runs[0], "OSError: before")
    work, _ = make()
    claim = claims.acquire(runs[1].run_dir)
    record_failure(runs[1], "OSError: elsewhere")
    claims.end(runs[1].run_dir, claim, "failed")
    assert [next(work), next(work)] == [runs[0], runs[2]]
    assert settled == [("b", "failed")]


def test_silent_owners_are_taken_over(make, runs) -> None:
    claim_elsewhere(runs[0].run_dir)
    work, _ = make(stale_s=45.0)
    assert [next(work), next(work)] == runs[1:]
    assert next(work) is None
    assert next(work) is runs[0]
    assert claims.newest(runs[0].run_dir).ended.startswith("lost: silent")


def test_runs_come_again_where_asked(make, runs) -> None:
    work, _ = make()
    work.options = Options(oom_retries=1)
    next(work)
    record = current_record(runs[0])
    attempts.enter(record, runs[0].cfg, attempts.OUT_OF_MEMORY, "no room")
    work.settle(runs[0], run_record.fail(record, "no room"))
    assert [next(work), next(work), next(work)] == [runs[1], runs[2], runs[0]]


def test_a_run_that_turns_out_to_be_held_is_looked_at_again(make, runs) -> None:
    work, _ = make()
    first = next(work)
    claim = claim_elsewhere(first.run_dir)
    work.running.discard(first.run_dir)
    work.leave(first)
    assert [next(work), next(work), next(work)] == [runs[1], runs[2], None]
    claims.end(first.run_dir, claim, "interrupted")
    assert next(work) is first


def test_a_folder_that_is_there_already(make, runs: list[PlannedRun], tmp_path: Path) -> None:
    runs[0].run_dir.mkdir(parents=True)
    work, _ = make()
    assert next(work) is runs[0]
