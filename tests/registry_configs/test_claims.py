"""The shipped claims: each says where it is from, and names cells of a shipped grid."""

from __future__ import annotations

from functools import cache

import pytest

from ablations.grids.file import load_grid, shipped_grids
from analysis.claims.file import load_claims
from auralsam2 import config

NAMES = [name.removeprefix("claims/") for name in config.names("claims/")]


@cache
def cells(grid: str) -> frozenset[str]:
    return frozenset(cell.name for cell in load_grid(grid).cells([0]))


def test_the_papers_claims_are_shipped_for_both_sizes() -> None:
    assert {"auralsam2", "paper_mini"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_claim_says_where_it_is_from(name: str) -> None:
    claims = load_claims(name).claims
    assert len({claim.sentence for claim in claims}) == len(claims)
    for claim in claims:
        assert claim.source.startswith(("section 1", "section 3", "section 4")), claim.sentence


@pytest.mark.parametrize("name", NAMES)
def test_cells_are_those_of_the_grids_that_a_claim_speaks_of(name: str) -> None:
    own = [name] if name in shipped_grids() else None
    for claim in load_claims(name).claims:
        grids = own or [grid for grid in shipped_grids() if claim.speaks_of(grid)]
        named = {cell for bound in claim.bounds(1) for cell, _ in bound.weights}
        holding = [grid for grid in grids if named <= cells(grid)]
        # Of real size, where it is not about the arms of the demo.
        assert holding and (own or any(not grid.endswith("_mini") for grid in holding)), claim
