"""Single numbers are those of the tables; what no table shows follows the same statistics."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from analysis.runs.results import Results, load_runs, with_reference
from analysis.tables.numbers import Numbers, Term

TEST, SWAPPED = ("test", "J"), ("test_audio_swapped", "J")


@pytest.fixture
def results(write_grid: Callable[..., Path], tmp_path: Path) -> Results:
    return load_runs(write_grid(tmp_path / "arms", seeds=(0, 1, 2)))


def test_a_mean_is_that_of_the_table(results: Results) -> None:
    numbers = Numbers(results)
    found = numbers.mean(Term("dense", TEST))
    assert found.value == numbers.table.mean.at["dense", TEST]
    assert found.low < found.value < found.high and (found.seeds, found.clips) == (3, 6)
    assert numbers.runs(found) == [*results.runs.loc[results.runs["cell"] == "dense", "run_id"]]


def test_a_difference_is_that_of_the_table_against_the_other_cell(results: Results) -> None:
    numbers = Numbers(results)
    for other in ("none", "sparse+dense"):  # not the reference, and the reference
        table = Numbers(with_reference(results, other))._table(
            with_reference(results, other), (), compared=True
        )
        rows = table.comparison.set_index(["cell", "split", "metric"])
        row = rows.loc[("dense", *TEST)]
        found = numbers.difference(Term("dense", TEST), Term(other, TEST))
        assert (found.value, found.low, found.high) == (row["difference"], row["low"], row["high"])
        assert (found.p, found.p_corrected) == (row["p"], row["p_holm"])
        assert found.significant == row["significant"]


def test_the_reference_minus_a_cell_is_the_table_turned_round(results: Results) -> None:
    numbers = Numbers(results)
    one = numbers.difference(Term("sparse+dense", TEST), Term("none", TEST))
    other = numbers.difference(Term("none", TEST), Term("sparse+dense", TEST))
    assert (one.value, one.low, one.high) == (-other.value, -other.high, -other.low)
    assert (one.p, one.p_corrected) == (other.p, other.p_corrected)
    assert [term.cell for term in one.terms] == ["sparse+dense", "none"]


def test_another_sound_is_paired_by_clip_and_seed(results: Results) -> None:
    found = Numbers(results).difference(Term("dense", TEST), Term("dense", SWAPPED))
    own = results.scores[(results.scores["cell"] == "dense") & (results.scores["metric"] == "J")]
    wide = own.pivot(index=["seed", "clip"], columns="split", values="value")
    expected = (wide["test"] - wide["test_audio_swapped"]).mean()
    assert found.value == pytest.approx(expected)
    assert found.low < found.value < found.high and math.isnan(found.p_corrected)
    assert found.significant == (found.p < 0.05)


def test_measures_of_runs(results: Results) -> None:
    found = Numbers(results).measure("dense", "params")
    assert found.value == pytest.approx(1e-5) and found.seeds == 3


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda n: n.mean(Term("dens", TEST)), ["'dens'", "did you mean 'dense'", "sparse+dense"]),
        (lambda n: n.mean(Term("dense", ("tset", "K"))), ["'tset'", "'K'", "test_audio_swapped"]),
        (lambda n: n.difference(Term("dense", TEST), Term("nothing", TEST)), ["'nothing'", "none"]),
        (lambda n: n.difference(Term("dense", TEST), Term("dense", TEST)), ["itself"]),
        (
            lambda n: n.difference(Term("dense", TEST), Term("dense", ("test", "F"))),
            ["two metrics"],
        ),
        (lambda n: n.measure("dense", "gflop"), ["did you mean 'gflops'"]),
        (lambda n: n.measure("dense", "gflops"), ["no run has recorded GFLOPs"]),
    ],
)
def test_what_is_not_there_is_said_with_what_is(results: Results, ask, said: list[str]) -> None:
    with pytest.raises(ValueError) as caught:
        ask(Numbers(results))
    assert all(text in str(caught.value) for text in said), caught.value


def test_cells_without_a_common_clip_have_no_difference(exact) -> None:
    scores = {
        ("a", 0): {"x": 0.1, "y": 0.2},
        ("b", 1): {"x": 0.1, "y": 0.3},
        ("c", 0): {"x": np.nan, "y": np.nan},
    }
    numbers = Numbers(load_runs(exact(scores)))
    with pytest.raises(ValueError, match="share no seed and clip"):
        numbers.difference(Term("a", TEST), Term("b", TEST))
    with pytest.raises(ValueError, match="no run has a score"):
        numbers.mean(Term("c", TEST))


def test_scores_after_clicks_are_named_by_their_splits(exact) -> None:
    clips = [f"c{number}" for number in range(6)]

    def scores(start: float) -> dict:
        held = {"test": start, "test_clicks_0": start, "test_clicks_3": start + 0.2}
        return {
            split: {"J": {clip: own + 0.01 * place for place, clip in enumerate(clips)}}
            for split, own in held.items()
        }

    runs = {
        (cell, seed): scores(start) for cell, start in (("a", 0.4), ("b", 0.5)) for seed in (0, 1)
    }
    numbers = Numbers(with_reference(load_runs(exact(runs)), "a"))
    after = ("test_clicks_3", "J")
    assert numbers.mean(Term("b", after)).value == pytest.approx(0.725)
    assert numbers.difference(Term("b", after), Term("a", after)).value == pytest.approx(0.1)
    gained = numbers.difference(Term("b", after), Term("b", ("test_clicks_0", "J")))
    assert gained.value == pytest.approx(0.2)
    assert ("test_clicks_3", "J") not in numbers.table.mean
