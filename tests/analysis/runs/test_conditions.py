"""A table says where its runs were not trained alike, and what they began from."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.runs.conditions import start_in_words, trained_on
from analysis.runs.results import load_runs
from auralsam2.engine import run_record
from auralsam2.engine.run_record import RunRecord

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
