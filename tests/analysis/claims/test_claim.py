from __future__ import annotations

import math

import pytest

from analysis.claims.claim import CLAIMS, Bound, Claim

COLUMN = ("test", "J")


@pytest.mark.parametrize(
    ("low", "high", "ends", "asserted"),
    [
        (0.01, math.inf, [0.01], "> 0.01"),
        (-math.inf, 0.5, [0.5], "< 0.5"),
        (-0.02, 0.02, [-0.02, 0.02], "between -0.02 and 0.02"),
    ],
)
def test_ends_of_a_bound_are_its_tests(low, high, ends, asserted) -> None:
    bound = Bound("a over b", {("a", COLUMN): 1.0, ("b", COLUMN): -1.0}, low, high)
    assert bound.ends == ends and bound.asserted == asserted


def test_every_kind_is_a_claim_that_says_what_it_is() -> None:
    listed = CLAIMS.describe()["components"]
    assert {"Beats", "Equivalent", "Monotone", "Interaction", "ListensBy"} <= set(listed)
    assert all(component["summary"].endswith(".") for component in listed.values())
    assert all(issubclass(CLAIMS.lookup(name), Claim) for name in listed)


@pytest.mark.parametrize(
    ("grids", "spoken_of", "not_spoken_of"),
    [("*", ["a", ""], []), ("fusion*", ["fusion_mini"], ["a"]), (["a", "b*"], ["a", "bc"], ["c"])],
)
def test_grids_are_patterns_of_folders(grids, spoken_of, not_spoken_of) -> None:
    claim = CLAIMS.build(dict(type="ListensBy", sentence="s", cell="a", grids=grids))
    assert all(map(claim.speaks_of, spoken_of)) and not any(map(claim.speaks_of, not_spoken_of))
