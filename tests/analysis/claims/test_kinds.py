from __future__ import annotations

import math

import pytest

from analysis.claims.kinds import Beats, Equivalent, Interaction, ListensBy, Monotone

SAID = {"sentence": "s"}
J, SWAPPED = ("test", "J"), ("test_audio_swapped", "J")


def sums(claim, sign: int = 1) -> list[tuple[dict, float, float]]:
    return [(dict(b.weights), b.low, b.high) for b in claim.bounds(sign)]


def test_beats_is_a_gain_above_a_margin() -> None:
    claim = Beats(cell="a", other="b", by=0.01, **SAID)
    assert sums(claim) == [({("a", J): 1, ("b", J): -1}, 0.01, math.inf)]
    assert sums(claim, sign=-1) == [({("a", J): -1, ("b", J): 1}, 0.01, math.inf)]
    assert claim.bounds(1)[0].words == "a over b"


def test_beats_of_one_cell_before_and_after_clicks() -> None:
    splits = {"split": "test_clicks_3", "other_split": "test_clicks_0"}
    (bound,) = Beats(cell="a", other="a", **splits, **SAID).bounds(1)
    after, before = ("test_clicks_3", "J"), ("test_clicks_0", "J")
    assert dict(bound.weights) == {("a", after): 1, ("a", before): -1}
    assert bound.words == "a (test, 3 clicks) over a (test, 0 clicks)"


def test_equivalent_has_two_ends() -> None:
    claim = Equivalent(cell="a", other="b", within=0.02, metric="F", split="val", **SAID)
    F = ("val", "F")
    assert sums(claim) == [({("a", F): 1, ("b", F): -1}, -0.02, 0.02)]


def test_monotone_is_every_step() -> None:
    claim = Monotone(cells=["one", "two", "three"], by=-0.01, **SAID)
    assert sums(claim) == [
        ({("two", J): 1, ("one", J): -1}, -0.01, math.inf),
        ({("three", J): 1, ("two", J): -1}, -0.01, math.inf),
    ]


@pytest.mark.parametrize("sign", [1, -1])
def test_interaction_is_a_difference_of_differences(sign: int) -> None:
    cells = {"both": "ab", "first": "a", "second": "b", "neither": "none"}
    ((weights, low, high),) = sums(Interaction(**cells, by=0.03, **SAID), sign)
    scores = {("ab", J): 0.9, ("a", J): 0.5, ("b", J): 0.6, ("none", J): 0.4}
    found = sum(weight * scores[key] for key, weight in weights.items())
    assert found == pytest.approx(sign * ((0.9 - 0.6) - (0.5 - 0.4))) and (low, high) == (
        0.03,
        math.inf,
    )


def test_the_other_sign_of_an_interaction_by_other_roles() -> None:
    cells = {"both": "a", "first": "ab", "second": "none", "neither": "b"}
    ((weights, *_),) = sums(Interaction(**cells, **SAID))
    assert weights == {("ab", J): -1, ("a", J): 1, ("b", J): 1, ("none", J): -1}


def test_listens_by_reads_the_control() -> None:
    assert sums(ListensBy(cell="a", by=0.1, **SAID)) == [
        ({("a", J): 1, ("a", SWAPPED): -1}, 0.1, math.inf)
    ]
    (own,) = ListensBy(cell="a", **SAID).bounds(1)
    assert own.words == "a (test) over a (test, audio swapped)"
    (bound,) = ListensBy(cell="a", sound="silence", split="test_s", **SAID).bounds(1)
    assert ("a", ("test_s_audio_silence", "J")) in bound.weights


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (Beats, dict(cell="a", other="a"), "'a' is compared with itself"),
        (Beats, dict(cell="a", other="b", by=math.nan), "by: wanted a finite number, got nan"),
        (Equivalent, dict(cell="a", other="b", within=0.0), "within: wanted more than 0, got 0.0"),
        (Equivalent, dict(cell="a", other="a", within=0.1), "'a' is named twice"),
        (Monotone, dict(cells="abc"), "cells: wanted a list of texts, got 'abc'"),
        (Monotone, dict(cells=[1, 2]), r"cells: wanted a list of texts, got \[1, 2\]"),
        (Beats, dict(cell="a", other="b", by="0.1"), "by: wanted a number, got '0.1'"),
        (
            Beats,
            dict(cell="a", other="b", other_split=1),
            "other_split: wanted a text or None, got 1",
        ),
        (Beats, dict(cell=["a"], other="b", grids=5), "grids: wanted a text or a list of texts"),
        (Monotone, dict(cells=["a"]), "wanted two at least"),
        (Monotone, dict(cells=["a", "b", "a"]), "'a' is named twice"),
        (Interaction, dict(both="a", first="b", second="b", neither="d"), "'b' is named twice"),
    ],
)
def test_what_cannot_be_claimed(kind, arguments, message) -> None:
    with pytest.raises(ValueError, match=message):
        kind(**arguments, **SAID)
