from __future__ import annotations

import json
from pathlib import Path

import pytest
from auralsam2_tools import grid_status

from auralsam2.engine import run_record
from auralsam2.engine.run_record import RunRecord


@pytest.fixture
def out(tmp_path: Path) -> Path:
    run_record.write(RunRecord(status="done", name="a", duration_s=2.0), tmp_path / "a")
    return tmp_path


def test_one_look(out: Path, run) -> None:
    assert "done in 2 s" in run("grid-status", out)


def test_json(out: Path, run) -> None:
    assert json.loads(run("grid-status", out, "--json"))["counts"]["done"] == 1


def test_watching_ends_with_the_runs(out: Path, run, monkeypatch) -> None:
    run_record.write(RunRecord(status="running", name="b"), out / "b")

    def finish(seconds: float) -> None:
        assert seconds == 7
        run_record.write(RunRecord(status="done", name="b", duration_s=1.0), out / "b")

    monkeypatch.setattr(grid_status.time, "sleep", finish)
    assert "2 runs: 2 done" in run("grid-status", out, "--watch", "7")


def test_leaving_a_watch_is_no_error(out: Path, run, monkeypatch) -> None:
    run_record.write(RunRecord(status="running", name="b"), out / "b")

    def leave(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(grid_status.time, "sleep", leave)
    run("grid-status", out, "--watch")


def test_no_grid(run, tmp_path: Path) -> None:
    assert "no run below it" in run("grid-status", tmp_path, status=2)
