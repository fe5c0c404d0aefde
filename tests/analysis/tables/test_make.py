from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.runs.results import load_runs
from analysis.tables import best_cells, make_table
from analysis.tables.layout import lay_out
from analysis.tables.make import digits
from auralsam2.engine import run_record

SCORES = {("a", 0): 0.2, ("a", 1): 0.4, ("b", 0): 0.5, ("b", 1): 0.8}
TEST = ("test", "J")


def test_mean_and_sample_deviation_over_seeds(exact) -> None:
    table = make_table(load_runs(exact(SCORES)))
    assert table.mean[TEST].tolist() == pytest.approx([0.3, 0.65])
    assert table.std[TEST].tolist() == pytest.approx([np.std([0.2, 0.4], ddof=1), 0.3 / 2**0.5])
    assert table.count[TEST].tolist() == [2, 2]


def test_best_is_marked_as_printed_and_never_on_controls(exact) -> None:
    scores = {("a", 0): 0.5, ("b", 0): 0.70001, ("c", 0): 0.7}
    best = best_cells(make_table(load_runs(exact(scores))))
    assert best[TEST].tolist() == [False, True, True]
    assert not best[("test_audio_swapped", "J")].any()


def test_a_single_row_is_not_best(exact) -> None:
    assert not best_cells(make_table(load_runs(exact({("b", 0): 0.5})))).any(axis=None)
    nan = {"clip": float("nan")}
    table = make_table(load_runs(exact({("b", 0): 0.5, ("a", 0): nan}), allow_mixed_data=True))
    assert not best_cells(table).any(axis=None)


def test_differences_are_paired_by_seed(exact) -> None:
    scores = {**SCORES, ("a", 2): 0.9}  # seed 2 has no partner
    table = make_table(load_runs(exact(scores)), difference=True)
    assert table.difference.columns.tolist() == [TEST]
    assert table.difference[TEST].iloc[0] == pytest.approx(np.mean([0.2 - 0.5, 0.4 - 0.8]))
    assert np.isnan(table.difference[TEST].iloc[1])


@pytest.mark.parametrize(("reference", "message"), [(None, "no reference"), ("z", "'z' has no")])
@pytest.mark.parametrize("asked", ["difference", "significance"])
def test_a_comparison_needs_its_reference(exact, reference, message, asked: str) -> None:
    results = load_runs(exact(SCORES, reference))
    with pytest.raises(ValueError, match=message):
        make_table(results, **{asked: True})


def test_chosen_scores_stand_in_the_order_given(exact) -> None:
    results = load_runs(exact(SCORES))
    chosen = ["test_audio_swapped:J", "test:J"]
    table = make_table(results, scores=[*chosen, "test:J"])
    assert table.mean.columns.tolist() == [("test_audio_swapped", "J"), TEST]


def test_every_wrong_choice_is_named_at_once(exact) -> None:
    with pytest.raises(ValueError) as caught:
        make_table(
            load_runs(exact(SCORES)), spread="sdt", columns=["parms"], scores=["test:K", "val:J"]
        )
    for part in (
        "unknown spread 'sdt'; did you mean 'std'?",
        "unknown column 'parms'; did you mean 'params'?",
        "unknown score 'test:K'; did you mean 'test:J'?",
        "unknown score 'val:J'",
    ):
        assert part in str(caught.value)


def test_intervals_are_of_the_means_of_all_columns(planted) -> None:
    table = make_table(load_runs(planted({"up": 0.05})), spread="interval")
    held = table.intervals.set_index("cell")
    for cell in ("b", "up"):
        assert held.loc[cell, "low"] < table.mean.loc[cell, TEST] < held.loc[cell, "high"]
    assert held.loc["up", "mean"] == pytest.approx(table.mean.loc["up", TEST])


def test_the_difference_is_the_one_tested(planted) -> None:
    results = load_runs(planted({"up": 0.05}))
    plain = make_table(results, difference=True)
    tested = make_table(results, difference=True, significance=True)
    assert plain.difference.equals(tested.difference) and plain.comparison is None
    assert tested.comparison["difference"].tolist() == [plain.difference.loc["up", TEST]]


@pytest.fixture
def with_controls(exact: Callable[..., Path]) -> Path:
    """Two cells with J and A everywhere, under every kind of control."""
    kinds = ["", *(f"_audio_{kind}" for kind in ("silence", "swapped", "noise", "offscreen"))]
    return exact(
        {
            (cell, 0): {f"test{kind}": {"J": {"x": level}, "A": {"x": 1 - level}} for kind in kinds}
            for cell, level in {"a": 0.3, "b": 0.6}.items()
        }
    )


def test_false_area_stands_where_nothing_is_to_be_found_and_lower_is_better(with_controls) -> None:
    table = make_table(load_runs(with_controls), significance=True)
    assert [pair for pair in table.mean.columns if pair[1] == "A"] == [
        ("test_audio_silence", "A"),
        ("test_audio_offscreen", "A"),
    ]
    assert len(table.mean.columns) == 5 + 2
    best = best_cells(table)
    assert best[("test_audio_silence", "A")].to_dict() == {"a": False, "b": True}
    assert best[("test", "J")].to_dict() == {"a": False, "b": True}
    assert not best[("test_audio_silence", "J")].any()
    assert table.comparison["split"].unique().tolist() == ["test"]


def test_a_cell_with_no_score_left_is_a_row_without_numbers(exact) -> None:
    nan = {"x": float("nan")}
    table = make_table(load_runs(exact({("a", 0): nan, ("b", 0): {"x": 0.5}})))
    assert table.mean[TEST].isna().tolist() == [True, False]
    assert table.count[TEST].tolist() == [0, 1]


def test_extra_columns_are_means_over_runs(grid_folder: Path) -> None:
    for number, path in enumerate(sorted(grid_folder.rglob("record.json"))):
        record = run_record.read(path)
        if record.name == "dense":
            record.speed = {"fps": 10.0 + number}
        run_record.write(record, path.parent)
    extras = make_table(load_runs(grid_folder), columns=["params", "fps", "decoder_fps"]).extras
    assert extras["params"].tolist() == [pytest.approx(1e-5)] * 4
    assert extras["fps"].isna().to_dict() == {c: c != "dense" for c in extras.index}
    assert extras.loc["dense", "fps"] == pytest.approx(10.5)
    assert extras["decoder_fps"].isna().all()


def test_small_means_are_told_apart(exact) -> None:
    """A metric in units of its own may be small everywhere: 0.000 would all be best, and alike."""
    cells = {"b": 0.0040, "a": 0.0044}
    folder = exact(
        {
            (cell, s): {"test": {"E": {c: v + 1e-4 * (s + i) for i, c in enumerate("xyz")}}}
            for cell, v in cells.items()
            for s in range(1 + (cell == "a"))
        }
    )
    table = make_table(load_runs(folder), difference=True, spread="std")
    assert best_cells(table)[("test", "E")].to_dict() == {"b": False, "a": True}
    rows = {row.name: [entry.text for entry in row.entries] for row in lay_out(table).rows}
    assert rows["b"] == ["0.00410", "1", "–"]
    assert rows["a"] == ["0.00455 ± 0.00007", "2", "+0.00040"]


def test_small_columns_have_digits_of_their_own() -> None:
    assert digits(pd.Series([0.2, -0.001])) == 3
    assert digits(pd.Series([0.002, -0.0001])) == 5
    assert digits(pd.Series([0.0, float("nan")])) == 3
