from __future__ import annotations

from pathlib import Path

import pytest

from analysis.report.tables import (
    DataTable,
    Entry,
    clip_table,
    count,
    duration,
    number,
    run_table,
    score_table,
)
from analysis.runs.results import load_runs
from analysis.tables import make_table
from auralsam2.engine import run_record


def test_numbers_say_what_they_are_sorted_by() -> None:
    assert number(0.12345) == Entry("0.123", 0.12345)
    assert number(float("nan")) == number(None) == Entry("–")
    assert count(1695488) == Entry("1\u202f695\u202f488", 1695488.0)
    assert [duration(s).text for s in (48, 200, 5399, 5400)] == ["48 s", "3 min", "90 min", "1.5 h"]
    assert duration(None) == Entry("–")


def test_columns_with_a_number_are_sorted_by_numbers() -> None:
    rows = [[Entry("a"), Entry("–")], [Entry("b"), Entry("2 of 5", 2.0)]]
    assert DataTable("key", "caption", ["name", "epochs"], rows).numeric == [False, True]


def test_every_number_of_the_table_is_sorted_by_its_mean(exact) -> None:
    scores = {("a", 0): 0.25, ("a", 1): 0.35, ("b", 0): 0.5, ("b", 1): 0.5}
    table = make_table(load_runs(exact(scores)), difference=True, columns=["params"])
    held = score_table(table, {"a": "cells/a.html"})
    assert held.headers == ["cell", "J", "J, audio swapped", "trained (M)", "seeds", "J vs b"]
    first = held.rows[0]
    assert first[0] == Entry("a", href="cells/a.html") and held.rows[1][0].href is None
    assert [entry.value for entry in first[1:]] == pytest.approx([0.3, 0.7, None, 2, -0.2])
    assert first[1].text == "0.300 ± 0.071" and not first[1].best and held.rows[1][1].best


def test_runs_have_their_scores_and_origin(grid_folder: Path) -> None:
    results = load_runs(grid_folder)
    table = make_table(results)
    records = {
        (run["cell"], run["seed"]): run_record.read(run["run_dir"])
        for run in results.runs.to_dict("records")
    }
    held = run_table(table, records, grid_folder, links={"none": "x.html"})
    assert len(held.rows) == 8 and held.rows[0][0] == Entry("none", href="x.html")
    assert held.rows[0][2].value == pytest.approx(records[("none", 0)].metrics["test"]["J"])
    assert held.rows[0][-1].text == "runs/none-s0-x" and held.rows[0][-3].text == "0.1.0+abc"
    assert all(len(row) == len(held.headers) for row in held.rows)
    assert len(run_table(table, records, grid_folder, cell="none").rows) == 2


def test_clips_have_means_over_seeds(exact) -> None:
    scores = {
        ("b", 0): {"test": {"J": {"x": 0.2, "y": 0.4}}},
        ("b", 1): {"test": {"J": {"x": 0.4, "y": float("nan")}}},
    }
    held = clip_table(load_runs(exact(scores)), "b", [("test", "J"), ("mix", "J")])
    assert [[entry.text for entry in row] for row in held.rows] == [["x", "0.300"], ["y", "0.400"]]
