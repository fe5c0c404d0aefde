from __future__ import annotations

import numpy as np

from analysis.claims.claim import Bound
from analysis.claims.outlook import outlook
from analysis.statistics.power import needed, power, variances
from analysis.statistics.score_arrays import Sample

W = {("a", ("test", "J")): 1.0}


def sample(mean: float, seeds: int = 3, clips: int = 20) -> Sample:
    rng = np.random.default_rng(1)
    draws = np.linspace(-0.02, 0.02, seeds)[:, None] + rng.normal(0, 0.03, (1, clips))
    draws = draws + rng.normal(0, 0.01, (seeds, clips))
    return Sample((draws - draws.mean() + mean)[None], (clips,))


def test_one_bound_asks_for_its_own_test() -> None:
    held = sample(0.05)
    found = outlook([(held, 0.05, Bound("", W, low=0.02))], 0.01, 0.05)
    assert (found.seeds, found.clips) == needed(variances(held), 0.03, 3, 20, 0.01, 0.8)
    assert found.towards == "for" and found.seeds is not None
    assert f"{found.seeds - 3} more seed" in found.text and f"({found.seeds} in all)" in found.text


def test_below_the_bound_it_goes_against_the_claim_at_that_level() -> None:
    held = sample(-0.03)
    found = outlook([(held, -0.03, Bound("", W, low=0.0))], 0.01, 0.05)
    assert (found.seeds, found.clips) == needed(variances(held), 0.03, 3, 20, 0.05, 0.8)
    assert found.towards == "against" and found.text.startswith("against it: ")


def test_all_parts_have_to_be_found() -> None:
    near, far = sample(0.03), sample(0.2)
    parts = [(near, 0.03, Bound("", W, low=0.0)), (far, 0.2, Bound("", W, low=0.0))]
    found = outlook(parts, 0.05, 0.05)
    most = needed(variances(near), 0.03, 3, 20, 0.05, 0.9)
    assert (found.seeds, found.clips) == most
    assert power(variances(near), 0.03, found.seeds, 20, 0.05) >= 0.9


def test_equivalence_has_two_ends_to_leave_behind() -> None:
    held = sample(0.01)
    found = outlook([(held, 0.01, Bound("", W, -0.05, 0.05))], 0.05, 0.05)
    assert (found.seeds, found.clips) == needed(variances(held), 0.04, 3, 20, 0.05, 0.9)


def test_no_effect_no_number() -> None:
    found = outlook([(sample(0.0), 0.0, Bound("", W, low=0.0))], 0.05, 0.05)
    assert found.seeds is None and found.clips is None
    assert found.text == (
        "against it: neither seeds alone (up to 1000) nor clips alone (up to 100000) would"
    )


def test_more_clips_of_one_seed_speak_of_these_models() -> None:
    held = sample(0.01, seeds=1)
    found = outlook([(held, 0.01, Bound("", W, low=0.0))], 0.05, 0.05)
    assert found.seeds is None and found.clips > 20
    more = found.clips - 20
    assert found.text == (
        f"for it: {more} more clips ({found.clips} in all), for these trained models; of others "
        "one seed says nothing"
    )


def test_where_nothing_varies_nothing_is_forecast() -> None:
    same = Sample(np.full((1, 3, 10), 0.2), (10,))
    found = outlook([(same, 0.2, Bound("", W, low=0.0))], 0.05, 0.05)
    assert found.seeds is None and found.clips is None
    assert found.text == "for it: what it would take is not known"


def test_more_seeds_are_counted_from_the_part_that_has_the_fewest() -> None:
    many, few = sample(0.03, seeds=6), sample(0.03, seeds=2)
    parts = [(held, 0.03, Bound("", W, low=0.0)) for held in (many, few)]
    found = outlook(parts, 0.05, 0.05)
    assert found.seeds is not None and found.seeds > 6
    assert f"{found.seeds - 2} more seeds ({found.seeds} in all)" in found.text
