"""The loop of ``run-grid --until-decided`` keeps its level on planted scores; looking does not."""

from __future__ import annotations


def test_errors_stay_below_alpha_where_looking_at_will_exceeds_it(script) -> None:
    ways = ("until decided", "every seed at 0.05")
    found = script.experiments(ways, 70, "seeds alone", 0.0, 6, 8)
    wrong = {way: sum(o.answer != "undecided" for o in found[way]) / 70 for way in ways}
    assert wrong["until decided"] <= 0.05 < 0.1 <= wrong["every seed at 0.05"]
    assert {o.seeds for o in found["until decided"] if o.answer == "undecided"} == {6}


def test_a_large_difference_is_found_with_fewer_seeds(script) -> None:
    found = script.experiments(("until decided",), 10, "seeds alone", 8.0, 6, 8)
    outcomes = found["until decided"]
    assert {outcome.answer for outcome in outcomes} == {"supported"}
    assert max(outcome.seeds for outcome in outcomes) < 6
