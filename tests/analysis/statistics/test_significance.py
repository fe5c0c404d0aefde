from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from analysis.runs.results import load_runs
from analysis.statistics.significance import (
    COMPARED,
    compare,
    holm,
    paired_differences,
)

J = ("test", "J")


def test_planted_effects_are_found_and_nulls_are_not(planted) -> None:
    results = load_runs(planted({"up": 0.05, "down": -0.05, "same": 0.0}))
    frame = compare(results, [J])
    assert tuple(frame.columns) == COMPARED and frame["cell"].tolist() == ["up", "down", "same"]
    assert frame["significant"].tolist() == [True, True, False]
    frame = frame.set_index("cell")
    for cell, effect in {"up": 0.05, "down": -0.05, "same": 0.0}.items():
        assert frame.loc[cell, "low"] <= effect <= frame.loc[cell, "high"]
        assert frame.loc[cell, "low"] < frame.loc[cell, "difference"] < frame.loc[cell, "high"]
    assert set(frame["varies"]) == {"clips and seeds"}
    assert frame[["num_seeds", "num_clips", "num_runs"]].drop_duplicates().values.tolist() == [
        [5, 30, 10]
    ]
    assert (frame["detectable"] > 0).all() and (frame["detectable"] < 0.05).all()


def test_holm_by_hand() -> None:
    """Three tests: the smallest times 3, the next times 2, never falling."""
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    unknown = holm([0.02, float("nan"), 0.01])
    assert unknown[::2] == pytest.approx([0.02, 0.02]) and np.isnan(unknown[1])
    assert holm([]) == []


def test_a_column_is_a_family(planted) -> None:
    frame = compare(load_runs(planted(dict.fromkeys("cdef", 0.01), num_clips=12)), [J])
    expected = multipletests(frame["p"], method="holm")[1]
    np.testing.assert_allclose(frame["p_holm"].astype(float), expected)


def test_no_cell_is_compared_with_itself_or_without_a_partner(exact) -> None:
    scores = {("b", 0): 0.5, ("a", 1): 0.4}
    frame = compare(load_runs(exact(scores)), [J])
    assert frame.empty and tuple(frame.columns) == COMPARED


def test_one_clip_gives_a_difference_and_no_test(exact) -> None:
    scores = {("b", s): 0.5 for s in range(3)} | {("a", s): 0.6 for s in range(3)}
    (row,) = compare(load_runs(exact(scores)), [J]).to_dict("records")
    assert row["difference"] == pytest.approx(0.1)
    assert np.isnan([row["p"], row["low"], row["p_holm"]]).all() and row["significant"] is False


def test_differences_are_of_common_clips(exact) -> None:
    nan = float("nan")
    scores = {
        ("b", 0): {"x": 0.5, "y": nan, "z": 0.1},
        ("a", 0): {"x": 0.7, "y": 0.9, "z": 0.2},
    }
    (row,) = paired_differences(load_runs(exact(scores)), [J]).to_dict("records")
    assert row["difference"] == pytest.approx((0.2 + 0.1) / 2) and row["num_clips"] == 2


def test_numbers_do_not_depend_on_the_order_of_rows_or_other_columns(planted) -> None:
    results = load_runs(planted({"up": 0.01, "same": 0.0}))
    shuffled = replace(results, scores=results.scores.sample(frac=1, random_state=0))
    first, second = (compare(held, [J]) for held in (results, shuffled))
    np.testing.assert_allclose(
        first[["low", "high", "p"]].astype(float), second[["low", "high", "p"]].astype(float)
    )
