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


def test_one_look(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert grid_status.main([str(out)]) == 0
    assert "done in 2 s" in capsys.readouterr().out


def test_json(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert grid_status.main([str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["counts"]["done"] == 1


def test_watching_ends_with_the_runs(out: Path, capsys, monkeypatch) -> None:
    run_record.write(RunRecord(status="running", name="b"), out / "b")

    def finish(seconds: float) -> None:
        assert seconds == 7
        run_record.write(RunRecord(status="done", name="b", duration_s=1.0), out / "b")

    monkeypatch.setattr(grid_status.time, "sleep", finish)
    assert grid_status.main([str(out), "--watch", "7"]) == 0
    assert "2 runs: 2 done" in capsys.readouterr().out


def test_leaving_a_watch_is_no_error(out: Path, capsys, monkeypatch) -> None:
    run_record.write(RunRecord(status="running", name="b"), out / "b")

    def leave(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(grid_status.time, "sleep", leave)
    assert grid_status.main([str(out), "--watch"]) == 0


def test_no_grid(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no run below it"):
        grid_status.main([str(tmp_path)])
