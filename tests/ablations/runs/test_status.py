from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from ablations.runs import claims, status
from ablations.runs.status import read_status
from auralsam2.engine import run_record
from auralsam2.engine.run_record import RunRecord

CELLS = ("none", "sparse", "dense")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A grid of three cells and two seeds, nothing started."""
    cells = [
        {"name": name, "runs": [{"seed": s, "folder": f"runs/{name}-s{s}"} for s in (0, 1)]}
        for name in CELLS
    ]
    (tmp_path / "grid.json").write_text(json.dumps({"title": "Prompts", "cells": cells}))
    return tmp_path


def folder(out: Path, cell: str, seed: int = 0) -> Path:
    path = out / "runs" / f"{cell}-s{seed}"
    path.mkdir(parents=True, exist_ok=True)
    return path


def claim(run_dir: Path, *, far: bool = False, ended: str | None = None, **progress) -> None:
    made = claims.acquire(run_dir)
    owner = replace(made.owner, machine="far", host="node7") if far else made.owner
    claims.write(run_dir, replace(made, owner=owner, ended=ended, progress=progress))


def record(run_dir: Path, state: str, **fields: object) -> None:
    run_record.write(RunRecord(status=state, **fields), run_dir)


def states(out: Path, **arguments: object) -> dict[str, str]:
    runs = read_status(out, **arguments).runs
    return {f"{run.cell} {run.seed}": run.state for run in runs}


def shown(out: Path) -> str:
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(status.render(read_status(out)))
    return console.export_text()


def test_nothing_started(out: Path) -> None:
    found = read_status(out)
    assert [run.state for run in found.runs] == ["pending"] * 6
    assert found.title == "Prompts" and found.eta_s is None and not found.is_over
    assert "6 runs: 6 pending; about ? left" in shown(out)


def test_states_come_from_records_and_claims(out: Path) -> None:
    record(folder(out, "none"), "done", duration_s=60.0)
    claim(folder(out, "none", 1), step=5, total=10, elapsed_s=30.0)
    record(folder(out, "none", 1), "running")
    record(folder(out, "sparse"), "failed", error="Traceback\nOSError: disk full")
    record(folder(out, "sparse", 1), "stopped", stopped_because="pruned at epoch 2")
    claim(folder(out, "dense"), ended="interrupted", step=3, total=10, epoch=1, epochs=4)
    record(folder(out, "dense"), "running")
    record(folder(out, "dense", 1), "running")  # and nobody trains it
    assert states(out) == {
        "none 0": "done",
        "none 1": "running",
        "sparse 0": "failed",
        "sparse 1": "stopped",
        "dense 0": "pending",
        "dense 1": "stale",
    }
    (folder(out, "sparse") / "log.txt").write_text("epoch 1\n\nOSError: disk full\n")
    text = shown(out)
    for part in (
        "done in 1 min 00 s",
        "running 50%, 30 s",
        "pending at epoch 1/4",
        "failed: sparse, seed 0: OSError: disk full",
        "    epoch 1\n    OSError: disk full",
        "stopped: sparse, seed 1: pruned at epoch 2",
        "6 runs: 1 done, 1 failed, 1 stopped, 1 stale, 1 running, 1 pending",
    ):
        assert part in text


def test_a_failed_run_that_is_tried_again_runs(out: Path) -> None:
    record(folder(out, "none"), "failed", error="x")
    claim(folder(out, "none"))
    assert states(out)["none 0"] == "running"


def test_silent_and_dead_owners_are_stale(out: Path) -> None:
    claim(folder(out, "none"), far=True)
    assert states(out)["none 0"] == "running"
    os.utime(folder(out, "none") / "claims" / "0001.json", (0, 0))
    assert states(out)["none 0"] == "stale"
    made = claims.acquire(folder(out, "none", 1))
    dead = replace(made, owner=replace(made.owner, started="1"))
    claims.write(folder(out, "none", 1), dead)
    assert states(out)["none 1"] == "stale"


def test_the_time_left_counts_what_runs_and_what_waits(out: Path) -> None:
    for seed in (0, 1):
        record(folder(out, "none", seed), "done", duration_s=100.0)
        claim(folder(out, "sparse", seed), step=5, total=10, elapsed_s=100.0)
    # Two runs need 100 s more, two wait for 100 s each, two go at a time.
    assert read_status(out).eta_s == pytest.approx(200.0)


def test_a_finished_grid_is_over(out: Path) -> None:
    for cell in CELLS:
        record(folder(out, cell), "done", duration_s=1.0)
        record(folder(out, cell, 1), "failed", error="x")
    found = read_status(out)
    assert found.is_over and found.eta_s == 0.0
    assert "6 runs: 3 done, 3 failed" in shown(out)


def test_folders_without_a_manifest(tmp_path: Path) -> None:
    record(tmp_path / "trial-1", "done", name="trial 1", seed=3, duration_s=1.0)
    (run,) = read_status(tmp_path).runs
    assert (run.cell, run.seed, run.state) == ("trial 1", 3, "done")
    with pytest.raises(FileNotFoundError, match="no grid.json"):
        read_status(tmp_path / "nothing")
    (tmp_path / "grid.json").write_text("{}")
    with pytest.raises(ValueError, match=r"grid\.json: no grid file"):
        read_status(tmp_path)


def test_json_for_programs(out: Path) -> None:
    record(folder(out, "none"), "failed", error="Traceback\nOSError: disk full")
    (folder(out, "none") / "log.txt").write_text("a\nb\nc\n")
    content = json.loads(json.dumps(status.as_json(read_status(out), lines=2)))
    assert content["counts"]["failed"] == 1 and content["counts"]["pending"] == 5
    assert content["runs"][0]["log"] == ["b", "c"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "?"), (0.2, "0 s"), (61, "1 min 01 s"), (7322, "2 h 02 min")],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert status.duration(seconds) == text


def test_the_end_of_a_long_log(tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text("".join(f"line {i}\n" for i in range(10_000)))
    assert status.log_tail(tmp_path, 2) == ["line 9998", "line 9999"]
    assert status.log_tail(tmp_path, 0) == []
    assert status.log_tail(tmp_path / "nothing", 2) == []


def test_looking_is_light(out: Path) -> None:
    program = (
        "import sys\nfrom ablations.runs.status import read_status\n"
        "import ablations.runs.status\n"
        f"read_status({str(out)!r})\n"
        "print([m for m in ('torch', 'mmengine', 'numpy', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
