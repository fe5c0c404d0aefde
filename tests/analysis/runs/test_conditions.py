"""A table says where its runs were not trained alike, and what they began from."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from analysis.runs.conditions import start_in_words, trained_on, unequal_columns
from analysis.runs.results import load_runs
from analysis.tables import make_table, notes
from analysis.tables.make import best_cells
from auralsam2.engine import run_record
from auralsam2.engine.run_record import RunRecord

CLIPS = ("a", "b", "c")
HERE = dict(device="cpu: Xeon", num_threads=2, processes=1, amp=None, packages=dict(torch="2.12"))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (dict(device="cuda: H100"), "on different devices (cpu: Xeon: one, seed 0; cuda: H100: "),
        (dict(num_threads=8), "with different numbers of threads (2: one, seed 0; 8: two, seed 0)"),
        (dict(processes=4), "by different numbers of processes (1: one"),
        (dict(amp="bfloat16"), "in different precision (float32: one, seed 0; bfloat16: two"),
        (dict(packages=dict(torch="2.11")), "with different versions of torch (2.12: one"),
        (dict(cuda="13.0"), ""),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_table_says_what_differs(
    changed: dict[str, object], told: str, tmp_path: Path, write_run
) -> None:
    older = {}  # says nothing
    for cell, environment in (("one", HERE), ("two", {**HERE, **changed}), ("older", older)):
        record = write_run(tmp_path / cell, cell, 0)
        record.environment = environment
        run_record.write(record, tmp_path / cell)
    found = [note for note in load_runs(tmp_path).notes if "trained" in note]
    assert len(found) == bool(told)
    assert all(note.startswith(f"the runs were trained {told}") for note in found)
    assert all(note.endswith("): their numbers differ by rounding too") for note in found)


def test_early_stops_and_starts_are_told(tmp_path: Path, write_run) -> None:
    start = dict(how="weights", run="R", sha256="0123456789abcdef", epochs=3)
    for cell, fields in (
        ("early", dict(epochs=4, epochs_planned=9)),
        ("tuned", dict(epochs=9, epochs_planned=9, start=start)),
        ("longer", dict(epochs=9, epochs_planned=9, start={**start, "how": "extended"})),
    ):
        record = write_run(tmp_path / cell, cell, 0)
        for name, value in fields.items():
            setattr(record, name, value)
        run_record.write(record, tmp_path / cell)
    assert load_runs(tmp_path).notes == [
        "stopped early, after 4 of 9 epochs: early, seed 0",
        "goes on with run R after 3 epochs (0123456789): longer, seed 0",
        "began with the weights of run R (0123456789): tuned, seed 0",
    ]


def test_in_words() -> None:
    assert trained_on(RunRecord()) == "" and start_in_words(RunRecord()) is None
    assert trained_on(RunRecord(environment=HERE)) == "cpu: Xeon, 2 threads, float32"
    shared = {**HERE, "device": "cuda: H100", "processes": 4, "amp": "bfloat16"}
    assert trained_on(RunRecord(environment=shared)).endswith("2 threads, 4 processes, bfloat16")


def test_what_was_left_out_is_a_note_of_every_table(tmp_path: Path, write_run) -> None:
    write_run(tmp_path / "one", "one", 0, clips=CLIPS, skipped={"test": 1, "train": 5, "val": 0})
    write_run(tmp_path / "two", "two", 0, clips=CLIPS, skipped={"test": 1})
    found = notes(make_table(load_runs(tmp_path)))
    assert found == [
        "1 clip of test left out, which could not be read, in all 2 runs",
        "clips that could not be read were replaced 5 times in training in one, seed 0",
    ]


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
