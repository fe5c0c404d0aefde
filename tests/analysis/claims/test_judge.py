from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from analysis.claims.file import Claims
from analysis.claims.judge import ClaimsError, judge, judge_grids
from analysis.claims.kinds import Beats, Equivalent, Interaction, ListensBy, Monotone
from analysis.runs.results import Results, load_runs
from analysis.statistics.significance import NO_SPREAD, compare, holm

J = ("test", "J")
SAID = {"sentence": "s"}


def claims(*held, alpha: float = 0.05) -> Claims:
    return Claims("mine", "Mine", held, Path("mine.py"), alpha)


def beats(cell: str, other: str = "b", **more) -> Beats:
    return Beats(sentence=f"{cell} beats {other}", cell=cell, other=other, **more)


def around(levels: dict[str, dict[str, float]], metric: str = "J", num_clips: int = 9) -> dict:
    """Scores of three seeds: cell -> split -> level that its clips lie around."""
    rng = np.random.default_rng(0)

    def clips(level: float) -> dict[str, dict[str, float]]:
        return {metric: {f"c{i}": level + rng.normal(0, 0.01) for i in range(num_clips)}}

    return {
        (cell, seed): {split: clips(level) for split, level in splits.items()}
        for cell, splits in levels.items()
        for seed in range(3)
    }


@pytest.fixture
def results(planted: Callable[..., Path]) -> Results:
    return load_runs(planted({"up": 0.05, "down": -0.05, "same": 0.0}))


CASES = [
    (beats("up"), "supported", 0.05),
    (beats("up", by=0.03), "supported", 0.05),
    (beats("up", by=0.07), "contradicted", 0.05),
    (beats("down"), "contradicted", -0.05),
    (beats("down", by=-0.07), "supported", -0.05),
    (beats("same"), "undecided", 0.0),
    (Equivalent(sentence="s", cell="same", other="b", within=0.02), "supported", 0.0),
    (Equivalent(sentence="s", cell="up", other="b", within=0.02), "contradicted", 0.05),
    (Equivalent(sentence="s", cell="down", other="b", within=0.02), "contradicted", -0.05),
    (Equivalent(sentence="s", cell="up", other="b", within=0.05), "undecided", 0.05),
    (Monotone(sentence="s", cells=["down", "b", "up"]), "supported", 0.05),
    (Monotone(sentence="s", cells=["down", "up", "b"]), "contradicted", -0.05),
    (Monotone(sentence="s", cells=["down", "same", "b"], by=-0.02), "supported", 0.0),
    (Monotone(sentence="s", cells=["down", "same", "b", "up"]), "undecided", 0.0),
    (Interaction(**SAID, both="up", first="same", second="b", neither="down"), "undecided", 0.0),
    (Interaction(**SAID, both="up", first="same", second="down", neither="b"), "supported", 0.1),
]


def test_planted_effects_are_judged_right(results) -> None:
    for claim, answer, estimate in CASES:
        (verdict,) = judge(claims(claim), results)
        assert verdict.answer == answer, claim
        assert verdict.estimate == pytest.approx(estimate, abs=0.01), claim
        assert verdict.low < verdict.estimate < verdict.high
        assert (verdict.num_seeds, verdict.num_clips, verdict.varies) == (5, 30, "clips and seeds")
        assert (verdict.needed is None) == (answer != "undecided")
        assert verdict.remark == ""


def test_a_margin_of_nothing_is_the_test_of_the_tables(results) -> None:
    frame = compare(results, [J]).set_index("cell")
    for verdict in judge(claims(beats("up"), beats("down"), beats("same")), results):
        row = frame.loc[verdict.claim.cell]
        assert (verdict.estimate, verdict.low, verdict.high) == pytest.approx(
            tuple(row[["difference", "low", "high"]])
        )
        assert min(verdict.p, verdict.p_against) == pytest.approx(row["p"])
        assert max(verdict.p, verdict.p_against) == 1.0


def test_the_claims_of_a_file_are_one_family(results) -> None:
    held = [beats("up"), beats("same"), beats("same", "down"), beats("down", by=0.1)]
    verdicts = judge(claims(*held), results)
    for own, corrected in (("p", "p_corrected"), ("p_against", "p_against_corrected")):
        raw = [getattr(v, own) for v in verdicts]
        assert [getattr(v, corrected) for v in verdicts] == pytest.approx(holm(raw))
    assert verdicts[1].p_corrected == pytest.approx(min(1, 2 * verdicts[1].p))  # two are rejected


def test_alpha_in_the_place_of_the_files(results) -> None:
    (verdict,) = judge(claims(beats("up")), results)
    (strict,) = judge(claims(beats("up")), results, alpha=verdict.p / 2)
    assert verdict.answer == "supported" and strict.answer == "undecided"
    assert strict.high - strict.low > verdict.high - verdict.low


def test_lower_is_better_where_the_metric_says_so(exact) -> None:
    levels = {"worse": {"null": 0.3}, "better": {"null": 0.1}}
    results = load_runs(exact(around(levels, "S"), reference=None))
    assert not results.scale("S").higher_is_better
    split = {"split": "null", "metric": "S"}
    verdicts = judge(
        claims(beats("better", "worse", **split), beats("worse", "better", **split)), results
    )
    assert [v.answer for v in verdicts] == ["supported", "contradicted"]
    assert verdicts[0].estimate == pytest.approx(0.2, abs=0.02) == -verdicts[1].estimate


def test_controls_and_clicks(exact) -> None:
    levels = {"test": 0.7, "test_audio_swapped": 0.3, "test_clicks_0": 0.7, "test_clicks_3": 0.75}
    results = load_runs(exact(around({"a": levels}), reference=None))
    clicks = {"split": "test_clicks_3", "other_split": "test_clicks_0"}
    swapped = ListensBy(sentence="s", cell="a", by=0.3)
    verdicts = judge(claims(swapped, beats("a", "a", **clicks)), results)
    assert [v.answer for v in verdicts] == ["supported", "supported"]
    assert [v.estimate for v in verdicts] == pytest.approx([0.4, 0.05], abs=0.02)


def test_a_split_made_of_others(exact) -> None:
    scores = around({"a": dict(test_s=0.6, test_u=0.6), "b": dict(test_s=0.5, test_u=0.5)})
    (verdict,) = judge(claims(beats("a", split="mix")), load_runs(exact(scores)))
    assert (verdict.answer, verdict.num_clips) == ("supported", 18)
    assert verdict.estimate == pytest.approx(0.1, abs=0.01)


def test_one_seed_speaks_of_clips_alone(planted) -> None:
    (verdict,) = judge(claims(beats("same")), load_runs(planted({"same": 0.0}, num_seeds=1)))
    assert verdict.varies == "clips" and verdict.num_seeds == 1
    assert verdict.needed.seeds is None and verdict.needed.clips > 30
    assert "for these trained models" in verdict.needed.text


def test_seeds_that_not_all_cells_have_are_told(exact) -> None:
    scores = around({"a": {"test": 0.5}, "b": {"test": 0.5}})
    del scores["b", 0]
    (verdict,) = judge(claims(beats("a")), load_runs(exact(scores)))
    assert verdict.num_seeds == 2 and verdict.remark == "2 of 3 seeds are in all its cells"


def test_where_nothing_varies_nothing_is_decided(exact) -> None:
    held = {f"c{i}": 0.1 * i for i in range(5)}
    results = load_runs(exact({(cell, seed): held for cell in "ab" for seed in range(2)}))
    (verdict,) = judge(claims(beats("a")), results)
    assert (verdict.answer, verdict.remark, verdict.estimate) == ("undecided", NO_SPREAD, 0.0)
    assert math.isnan(verdict.low) and verdict.p == verdict.p_against == 1.0


def test_all_that_is_missing_is_named_at_once(results) -> None:
    held = [
        beats("upp"),
        beats("up", split="tset"),
        beats("up", metric="jay"),
        ListensBy(sentence="listens", cell="up"),
        beats("up"),
    ]
    with pytest.raises(ClaimsError) as caught:
        judge(claims(*held), results)
    said = str(caught.value)
    assert "4 problems" in said
    for part in (
        "claims.0 (upp beats b): unknown cell with a finished run 'upp'; did you mean 'up'?",
        "known: b, down, same, up",
        "claims.1 (up beats b): unknown split 'tset'; did you mean 'test'? known: test",
        "claims.2 (up beats b): unknown metric 'jay'",
        "claims.3 (listens): unknown split 'test_audio_swapped'",
    ):
        assert part in said


def test_claims_go_to_the_grids_that_they_speak_of(results) -> None:
    held = [beats("up", grids=grids) for grids in ("fusion*", "other", "f*")]
    grids = {"fusion_mini": results, "fusion": results, "far": results}
    judged = judge_grids(claims(held[0], held[1]), {"fusion_mini": results})
    assert [v.grid for v in judged.verdicts] == ["fusion_mini"]
    assert judged.problems == [
        "claims.1 (up beats b): it is about a grid 'other'; there are: 'fusion_mini'"
    ]
    (both,) = judge_grids(claims(held[2]), grids).problems
    assert "several grids have its cells ('fusion_mini', 'fusion', 'far')" in both


def test_claims_that_cannot_be_judged_count_for_the_correction(results) -> None:
    (alone,) = judge_grids(claims(beats("same")), {"": results}).verdicts
    (beside,) = judge_grids(claims(beats("same"), beats("x")), {"": results}).verdicts
    assert beside.p_corrected == pytest.approx(min(1, 2 * alone.p_corrected))


def test_exit_status(results) -> None:
    for held, status in (("up", 0), ("down x same", 1), ("up same", 3), ("x same", 4)):
        judged = judge_grids(claims(*map(beats, held.split())), {"": results})
        assert judged.status == status
