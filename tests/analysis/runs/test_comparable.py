"""Runs on other clips or data are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.runs.comparable import MixedDataError, check_tested_clips
from analysis.runs.results import load_runs
from analysis.tables import make_table
from analysis.tables.make import best_cells

CLIPS = ("a", "b", "c")


def test_other_clips_are_refused_or_marked(tmp_path: Path, write_run) -> None:
    write_run(tmp_path / "one", "one", 0, level=0.3, clips=CLIPS)
    write_run(tmp_path / "two", "two", 0, level=0.8, clips=CLIPS[:2])
    with pytest.raises(MixedDataError, match=r"split 'test' holds different clips \(3 clips: one"):
        load_runs(tmp_path)
    results = load_runs(tmp_path, allow_mixed_data=True)
    assert any(
        note.startswith("J of test is a mean over different clips (3: one, seed 0; 2: two, seed 0)")
        for note in results.notes
    )
    assert not best_cells(make_table(results)).any(axis=None)


@pytest.fixture
def run_dir(write_run: Callable[..., object], tmp_path: Path) -> Path:
    write_run(tmp_path, "a", 0, clips=("a", "b", "c", "d", "e"))
    return tmp_path


def test_the_same_clips_pass_in_any_order(run_dir: Path) -> None:
    check_tested_clips(run_dir, "test", ["e", "b", "c", "d", "a"])
    check_tested_clips(run_dir, "unheard", ["x"])  # nothing is known of this split


def test_other_clips_are_named(run_dir: Path) -> None:
    with pytest.raises(ValueError) as told:
        check_tested_clips(run_dir, "test", ["e", "x"])
    assert str(told.value).startswith(
        "these are other data than the run was tested on: of split 'test' 4 of its 5 clips are "
        "missing (a, b, c, …) and 1 of the 2 in the data are new (x)"
    )
    with pytest.raises(
        ValueError, match=r"'test' 1 of the 6 in the data are new \(f\); set data.root"
    ):
        check_tested_clips(run_dir, "test", "abcdef")


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        check_tested_clips(tmp_path, "test", ["a"])
