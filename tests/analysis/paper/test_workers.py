"""Measurements in processes of their own."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path

from analysis.paper.part import PARTS
from analysis.paper.source import find_sources
from analysis.paper.workers import measuring


def test_all_are_run_though_one_fails(tmp_path: Path) -> None:
    written = [tmp_path / f"{number}.txt" for number in range(3)]
    measurements = [partial(path.write_text, "measured") for path in written]
    with measuring(2) as measure:
        assert measure is not None
        measure([partial(Path.read_text, tmp_path / "missing"), *measurements])
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
    with measuring(2) as measure:
        assert measure is not None
        measure([partial(exec, code, {})])
    assert not (tmp_path / "late").exists()


def test_one_job_needs_no_other_process() -> None:
    with measuring(1) as measure:
        assert measure is None


def test_parts_measure_the_runs_of_their_cells(tmp_path: Path, write_grid) -> None:
    folder = write_grid(tmp_path / "arms")
    (source,) = find_sources(folder, overrides={"data.root": "/data"}, again=True)
    node = {"cells": ["none", "dense"], "max_clips": 4}
    for name, more in (("Dilution", {"sounds": ("silence",)}), ("Embeddings", {})):
        calls = PARTS.build({"type": name, **node, **more}).measurements(source)
        assert {call.args[0].name for call in calls} == {
            f"{cell}-s{seed}-x" for cell in ("none", "dense") for seed in (0, 1)
        }
        how = {"overrides": {"data.root": "/data"}, "again": True}
        assert all(call.keywords == how for call in calls)
        own = {"max_clips": 4, "split": "test", **more}
        settings = [asdict(call.func.__self__) for call in calls]
        assert all(own.items() <= held.items() for held in settings)
