"""Runs of a grid: measured, unfit or lost; several at once in processes of their own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from analysis import measured_runs
from analysis.dilution.readings import DilutionReadings
from analysis.measured_runs import measure_runs, run_at_once
from analysis.runs.results import load_runs
from auralsam2.messages import UnfitModelError


def test_every_run_is_measured_unfit_or_lost(write_grid: Any, tmp_path: Path) -> None:
    class Some(DilutionReadings):
        def of(self, run_dir: Path, **how: Any) -> bytes:
            called.append((run_dir.name[:-2], how))
            if run_dir.name.startswith("none"):
                raise UnfitModelError("no such numbers")
            if run_dir.name.startswith("dense-s0"):
                raise FileNotFoundError("no data")
            if run_dir.name.startswith("sparse-"):
                return b""
            return run_dir.name[:5].encode()

        def check(self, numbers: bytes) -> None:
            if not numbers:
                raise ValueError("it is empty")

    def track(runs: Any) -> Iterator[Any]:
        yield from runs

    called: list[Any] = []
    results = load_runs(write_grid(tmp_path / "grid"))
    cells = ["dense", "none", "sparse"]
    measured = measure_runs(results, Some(), cells=cells, overrides={"a": 1}, track=track)

    assert measured.found == {("dense", 1): b"dense"}
    assert measured.lost_lines == [
        "dense, seed 0: left out: no data",
        "sparse, seed 0: left out: it is empty",
        "sparse, seed 1: left out: it is empty",
    ]
    assert measured.left_out == ["none: left out: no such numbers", *measured.lost_lines]
    how = {"overrides": {"a": 1}, "again": False}
    order = ["dense-s0", "dense-s1", "none-s0", "sparse-s0", "sparse-s1"]
    assert called == [(name, how) for name in order], "an unfit cell's other seeds are not read"
    with pytest.raises(
        ValueError, match="no run could be read:\n  sparse, seed 0: left out: it is"
    ):
        measure_runs(results, Some(), cells=["sparse"])
    assert not measure_runs(results, Some(), cells=["none"]).lost


def test_all_that_is_wrong_is_told_at_once(write_grid: Any, tmp_path: Path) -> None:
    results = load_runs(write_grid(tmp_path / "grid"))
    with pytest.raises(ValueError) as told:
        readings = DilutionReadings(max_clips=0)
        measure_runs(results, readings, cells=["dens", "x"], problems=["no such sound"])
    for part in (
        "unknown cell 'dens'; did you mean 'dense'? known: dense, none",
        *("unknown cell 'x'", "no such sound", "max_clips must be at least 1, got 0"),
    ):
        assert part in str(told.value)


def test_a_bug_of_ours_is_no_lost_run(write_grid: Any, tmp_path: Path) -> None:
    class Broken(DilutionReadings):
        def path(self, run_dir: Path) -> Path:
            return None  # type: ignore[return-value]

    results = load_runs(write_grid(tmp_path / "grid"))
    with pytest.raises(AttributeError):
        measure_runs(results, Broken())


def test_all_are_run_though_one_fails(tmp_path: Path) -> None:
    written = [tmp_path / f"{number}.txt" for number in range(3)]
    measurements = [partial(path.write_text, "measured") for path in written]
    run_at_once(2, [partial(Path.read_text, tmp_path / "missing"), *measurements])
    assert [path.read_text() for path in written] == ["measured"] * 3


LEAVES_A_THREAD = """
import threading, time
from auralsam2 import process_end
def late():
    time.sleep(8)
    open({path!r}, "w")
process_end.GRACE_S = 0.1
threading.Thread(target=late).start()
"""


def test_no_thread_that_a_run_leaves_is_waited_for(tmp_path: Path) -> None:
    code = LEAVES_A_THREAD.format(path=str(tmp_path / "late"))
    run_at_once(2, [partial(exec, code, {})])
    assert not (tmp_path / "late").exists()


def test_only_what_is_missing_is_measured_at_once(
    write_grid: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def of(self: DilutionReadings, run_dir: Path, **how: Any) -> bytes:
        called.append(how)
        return b""

    def at_once(jobs: int, calls: Any) -> None:
        runs = {call.args[0].name[:-2] for call in calls}
        asked.append((jobs, runs, calls[0].keywords, calls[0].func.__self__))

    called: list[Any] = []
    asked: list[Any] = []
    monkeypatch.setattr(DilutionReadings, "of", of)
    monkeypatch.setattr(
        DilutionReadings, "read", lambda self, run, _: (run / "kept").exists() or None
    )
    monkeypatch.setattr(measured_runs, "run_at_once", at_once)
    folder = write_grid(tmp_path / "arms")
    (folder / "runs" / "none-s1-x" / "kept").touch()
    readings = DilutionReadings(max_clips=4)
    for again, left in ((False, {"none-s0"}), (True, {"none-s0", "none-s1"})):
        how: dict[str, Any] = {"overrides": {"data.root": "x"}, "again": again}
        measure_runs(load_runs(folder), readings, cells=["none"], jobs=3, **how)
        assert asked.pop() == (3, left, how, readings)
    assert all(how["again"] is False for how in called), "that has just been done"
    measure_runs(load_runs(folder), readings)
    assert not asked, "one job needs no other process"
