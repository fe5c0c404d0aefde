from __future__ import annotations

from analysis.report.summary import best_cell, in_words, primary_column
from analysis.runs.results import load_runs
from analysis.tables import make_table


def test_the_best_cell_is_that_of_the_first_column_that_is_no_control(exact) -> None:
    table = make_table(load_runs(exact({("a", 0): 0.7, ("b", 0): 0.5})), scores=())
    assert primary_column(table) == ("test", "J") and best_cell(table) == "a"
    assert in_words(table, "a", ("test", "J")) == "0.700"
    controls = make_table(table.results, scores=["test_audio_swapped:J"])
    assert best_cell(controls) is None


def test_a_score_has_its_interval(planted) -> None:
    results = load_runs(planted({"a": 0.1}, num_seeds=3))
    table = make_table(results, spread="interval")
    low, high = in_words(table, "a", ("test", "J")).split("[")[1].rstrip("]").split(", ")
    assert float(low) < float(table.mean[("test", "J")]["a"]) < float(high)
