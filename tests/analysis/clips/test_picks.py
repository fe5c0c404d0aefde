from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.clips.picks import NoPicksError, best_other, check_rules, pick, ranked
from analysis.runs.results import Results, load_runs, with_reference

NAN = float("nan")
OWN = {"a": 0.3, "b": 0.1, "c": 0.1, "d": 0.9, "e": NAN}
HEARD = {"a": 0.5, "b": 0.1, "c": 0.0, "d": 0.2}
LOW = {"a": 0.2, "b": 0.3, "c": 0.1, "d": 0.0, "f": 0.0}
HIGH = {"a": 0.8, "b": 0.8, "c": 0.8, "d": 0.8}


@pytest.fixture
def results(exact: Callable[..., Path]) -> Results:
    """The reference ``b``, a worse and a better cell; only the first seed of ``b`` counts."""
    folder = exact(
        {
            ("b", 1): dict.fromkeys(OWN, 0.5),
            ("b", 0): {"test": {"J": OWN}, "test_audio_swapped": {"J": HEARD}},
            ("low", 0): LOW,
            ("high", 3): HIGH,
        }
    )
    return load_runs(folder, allow_mixed_data=True)


def test_ties_go_by_name_and_what_is_no_number_is_left_out() -> None:
    assert ranked({"z": 0.1, "y": 0.1, "x": 0.2, "n": NAN}) == ["y", "z", "x"]
    assert ranked({}) == []


def test_the_lowest_scores_of_the_first_seed(results: Results) -> None:
    picked = pick(results, "lowest", num_clips=3)
    assert picked.clips == ("b", "c", "a") and picked.values == (0.1, 0.1, 0.3)
    assert picked.captions[2] == "J 0.30" and picked.num_clips == 4
    assert picked.title == "Lowest J of b (seed 0) on test"
    assert pick(results, "lowest", num_clips=9).clips == ("b", "c", "a", "d")


def test_where_the_sound_matters_least(results: Results) -> None:
    picked = pick(results, "listens-least", num_clips=4)
    assert picked.clips == ("a", "b", "c", "d")
    assert picked.values == pytest.approx((-0.2, 0.0, 0.1, 0.7))
    assert picked.captions[0] == "J 0.30; audio swapped 0.50"
    assert picked.beside == {"test_audio_swapped": "audio swapped"}


def test_a_control_in_which_something_is_heard_comes_before_silence(exact) -> None:
    controls = {f"test_audio_{kind}": {"J": HEARD} for kind in ("silence", "noise")}
    results = load_runs(exact({("b", 0): {"test": {"J": OWN}, **controls}}))
    picked = pick(results, "listens-least", num_clips=1)
    assert picked.beside == {"test_audio_noise": "noise as audio"}


def test_against_the_best_other_cell_or_a_chosen_one(results: Results) -> None:
    loss = pick(results, "largest-loss", num_clips=2)
    assert loss.other == "high" and loss.clips == ("b", "c")
    assert loss.values == pytest.approx((-0.7, -0.7))
    assert loss.title == "Largest loss in J of b (seed 0) against high (seed 3) on test"
    assert loss.captions[0] == "J 0.10, against 0.80"
    gain = pick(results, "largest-gain", num_clips=4, other="low")
    # Neither equal clips nor lost ones are gains; clips of one cell alone do not count.
    assert gain.clips == ("d", "a") and gain.values == pytest.approx((-0.9, -0.1))
    assert gain.num_clips == 4


def test_an_oracle_that_trains_nothing_is_no_rival_unless_all_are(results: Results) -> None:
    results.runs["num_trainable"] = results.runs["cell"].map({"b": 0, "low": 5, "high": 0})
    assert best_other(results, ("test", "J"), "b") == "low"
    assert pick(results, "largest-gain", num_clips=1).other == "low"
    results.runs["num_trainable"] = 0
    assert best_other(results, ("test", "J"), "b") == "high"


def test_lower_may_be_better(exact) -> None:
    null = {"test_n": {"S": {"a": 0.1, "b": 0.9}}}
    results = load_runs(exact({("b", 0): null, ("c", 0): {"test_n": {"S": {"a": 0.0, "b": 0.8}}}}))
    picked = pick(results, "lowest", num_clips=1)
    assert picked.clips == ("b",) and picked.title == "Highest S of b (seed 0) on test n"
    loss = pick(results, "largest-loss", num_clips=2)
    assert loss.clips == ("a", "b") and loss.values == pytest.approx((-0.1, -0.1))


def test_what_cannot_be_picked_is_said(results: Results) -> None:
    with pytest.raises(NoPicksError, match="no control split of 'test' has scores of low"):
        pick(with_reference(results, "low"), "listens-least", num_clips=1)
    with pytest.raises(NoPicksError, match="there is no such clip .Largest gain in J of low"):
        pick(with_reference(results, "low"), "largest-gain", num_clips=1)
    with pytest.raises(NoPicksError, match="no other cell that b can be compared with"):
        pick(results, "largest-gain", num_clips=1, other="b")
    with pytest.raises(ValueError, match="unknown rule 'lowst'; did you mean 'lowest'"):
        pick(results, "lowst", num_clips=1)
    with pytest.raises(ValueError, match="unknown cell 'hih'; did you mean 'high'"):
        pick(results, "largest-gain", num_clips=1, other="hih")


def test_all_rules_where_none_is_named() -> None:
    assert check_rules([]) == ["lowest", "listens-least", "largest-loss", "largest-gain"]
    assert check_rules(["lowest", "lowest"]) == ["lowest"]


def test_without_a_reference(exact) -> None:
    with pytest.raises(ValueError, match="choose one .--reference CELL"):
        pick(load_runs(exact({("b", 0): 0.5}, reference=None)), "lowest", num_clips=1)
