"""Means over different clips never stand side by side without a word."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from analysis.runs.comparable import unequal_columns
from analysis.runs.results import MixedDataError, load_runs
from analysis.tables import make_table, notes
from analysis.tables.make import best_cells
from auralsam2.engine import run_record

CLIPS = ("a", "b", "c")


def test_what_was_left_out_is_a_note_of_every_table(tmp_path: Path, write_run) -> None:
    write_run(tmp_path / "one", "one", 0, clips=CLIPS, skipped={"test": 1, "train": 5, "val": 0})
    write_run(tmp_path / "two", "two", 0, clips=CLIPS, skipped={"test": 1})
    found = notes(make_table(load_runs(tmp_path)))
    assert found == [
        "1 clip of test left out, which could not be read, in all 2 runs",
        "clips that could not be read were replaced 5 times in training in one, seed 0",
    ]


def test_other_clips_are_refused_or_marked(tmp_path: Path, write_run) -> None:
    write_run(tmp_path / "one", "one", 0, level=0.3, clips=CLIPS)
    write_run(tmp_path / "two", "two", 0, level=0.8, clips=CLIPS[:2])
    with pytest.raises(MixedDataError, match="split 'test' holds different clips"):
        load_runs(tmp_path)
    results = load_runs(tmp_path, allow_mixed_data=True)
    assert any(
        note.startswith("J of test is a mean over different clips (3: one, seed 0; 2: two, seed 0)")
        for note in results.notes
    )
    assert not best_cells(make_table(results)).any(axis=None)


def test_scores_that_are_no_numbers_make_clips_unequal(tmp_path: Path, write_run) -> None:
    for cell, level in (("one", 0.3), ("two", 0.8)):
        record = write_run(tmp_path / cell, cell, 0, level=level, clips=CLIPS)
    for entry in record.per_clip:
        if (entry["metric"], entry["clip"], entry["split"]) == ("F", "b", "test"):
            entry["value"] = math.nan
    run_record.write(record, tmp_path / "two")
    results = load_runs(tmp_path)
    assert unequal_columns(results.scores) == {
        ("test", "F"): {3: ["one, seed 0"], 2: ["two, seed 0"]}
    }
    best = best_cells(make_table(results))
    assert not best["test", "F"].any() and best["test", "J"].tolist() == [False, True]


def test_a_control_of_fewer_clips_is_told(tmp_path: Path, write_run) -> None:
    record = write_run(tmp_path / "one", "one", 0, clips=CLIPS)
    assert not any("lacks clips" in note for note in load_runs(tmp_path).notes)
    record.per_clip = [
        e for e in record.per_clip if (e["split"], e["clip"]) != ("test_audio_swapped", "c")
    ]
    record.metrics["test_audio_swapped"] = {}  # whose means were those of three clips
    run_record.write(record, tmp_path / "one")
    (note,) = [note for note in load_runs(tmp_path).notes if "lacks clips" in note]
    assert note == "test_audio_swapped lacks clips of test (one, seed 0: 2 of 3)"


def test_weights_that_fit_in_part_are_told(tmp_path: Path, write_run) -> None:
    whole = dict(part="backbone.network", file="a.pt", matched=9, missing=0, unexpected=0)
    partial = whole | dict(missing=3, misshapen=1, examples={"missing": ["x"]})
    write_run(tmp_path / "one", "one", 0, weights=[whole])
    write_run(tmp_path / "two", "two", 0, weights=[whole, partial])
    (note,) = notes(make_table(load_runs(tmp_path)))
    assert note == (
        "a.pt covers backbone.network only in part (9 names matched, 3 missing, 1 misshapen) in "
        "two, seed 0"
    )
