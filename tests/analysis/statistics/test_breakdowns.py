from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.runs.results import Results, load_runs
from analysis.statistics import breakdowns
from analysis.statistics.breakdowns import (
    ALL,
    BROKEN_DOWN,
    Bin,
    attribute_bins,
    break_down,
    part_bins,
)
from analysis.statistics.crossed_means import Settings, p_values
from analysis.statistics.score_arrays import ScoreArray, score_arrays
from analysis.statistics.significance import NO_SPREAD, compare, holm

J = ("test", "J")
FEW = {f"c{n:03}" for n in range(8)}
MANY = {f"c{n:03}" for n in range(8, 24)}
BINS = [Bin("size", "small", FEW), Bin("size", "large", MANY), Bin("class", "bell", FEW | {"x"})]


@pytest.fixture
def carried(grid_of: Callable[..., Results]) -> Results:
    """The second cell gains 0.1 on eight of 24 clips, and nothing on the others."""
    results = grid_of({"arm": ("old", "new")}, lambda *_: 0.5, num_clips=24, num_seeds=4)
    scores = results.scores
    gains = (scores["cell"] == "new") & scores["clip"].isin(FEW)
    return replace(results, scores=scores.assign(value=scores["value"] + 0.1 * gains))


def test_a_planted_gain_is_found_where_it_is(carried: Results) -> None:
    found = break_down(carried, ("new", "old"), J, BINS)
    assert tuple(found.columns) == BROKEN_DOWN
    assert found["bin"].tolist() == [ALL, "small", "large", "bell"]
    assert found["num_clips"].tolist() == [24, 8, 16, 8] and set(found["num_seeds"]) == {4}
    rows = found.set_index("bin")
    assert rows.loc["small", "low"] < 0.1 < rows.loc["small", "high"]
    assert rows.loc["large", "low"] < 0.0 < rows.loc["large", "high"]
    assert rows["significant"].tolist()[1:] == [True, False, True]
    assert rows.loc["small", "apart_low"] < 0.1 < rows.loc["small", "apart_high"]
    assert rows["apart_significant"].tolist() == [False, True, True, True]


def test_numbers_by_hand(carried: Results) -> None:
    found = break_down(carried, ("new", "old"), J, BINS).set_index("bin")
    wide = carried.scores.pivot(index=["seed", "clip"], columns="cell", values="value")
    gain = (wide["new"] - wide["old"]).unstack("clip")
    small, large = gain[sorted(FEW)], gain[sorted(MANY)]
    assert found.loc["small", "difference"] == pytest.approx(small.to_numpy().mean())
    apart = small.to_numpy().mean() - large.to_numpy().mean()
    assert found.loc["small", "apart_difference"] == pytest.approx(apart)
    assert found.loc["large", "apart_difference"] == pytest.approx(-apart)
    assert found.loc["large", "apart_p"] == pytest.approx(found.loc["small", "apart_p"])
    share = small.to_numpy().sum() / gain.to_numpy().sum()
    assert found.loc["small", "share"] == pytest.approx(share)
    assert found.loc[["small", "large"], "share"].sum() == pytest.approx(1)
    # The bins of an attribute are a family; "all" and a single bin stand for themselves.
    pair = found.loc[["small", "large"]]
    assert pair["p_holm"].tolist() == pytest.approx(holm(pair["p"].tolist()))
    assert found.loc["bell", "p_holm"] == found.loc["bell", "p"]
    whole = compare(carried, [J]).iloc[0]  # the reference is "old"
    for name in ("difference", "low", "high", "p"):
        assert found.loc[ALL, name] == pytest.approx(whole[name])


def test_with_one_seed_bins_are_compared_as_two_samples(grid_of) -> None:
    """Welch's test over clips."""
    results = grid_of({"arm": ("old", "new")}, lambda *_: 0.5, num_clips=24, num_seeds=1)
    found = break_down(results, ("new", "old"), J, BINS[:2]).set_index("bin")
    wide = results.scores.pivot(index="clip", columns="cell", values="value")
    gain = wide["new"] - wide["old"]
    expected = stats.ttest_ind(gain[sorted(FEW)], gain[sorted(MANY)], equal_var=False)
    assert found.loc["small", "apart_p"] == pytest.approx(expected.pvalue)
    interval = expected.confidence_interval(0.95)
    assert found.loc["small", ["apart_low", "apart_high"]].tolist() == pytest.approx([*interval])
    single = stats.ttest_1samp(gain[sorted(FEW)], 0)
    assert found.loc["small", "p"] == pytest.approx(single.pvalue)


@pytest.mark.parametrize("spread", [(1.0, 0.0, 0.01), (0.1, 1.0, 0.3), (0.0, 0.0, 1.0)])
def test_a_bin_that_is_as_the_others_is_rarely_told_apart(spread: tuple[float, ...]) -> None:
    """200 experiments of three seeds; seeds, clips or the rest vary most."""
    rng = np.random.default_rng(6)
    inside = np.arange(20) < 6
    clips = tuple(f"c{n}" for n in range(20))
    rejected = 0
    for _ in range(200):
        # Seeds move the two kinds of clips by themselves, as training anew would.
        by_seed = rng.normal(size=(3, 2)) @ np.array([inside, ~inside])
        parts = (by_seed, rng.normal(size=(1, 20)), rng.normal(size=(3, 20)))
        values = sum(s * part for s, part in zip(spread, parts, strict=True))
        array = ScoreArray(values[None], ("",), (0, 1, 2), clips, np.zeros(20, int))
        sample = breakdowns._sample(breakdowns._apart(array, inside))
        rejected += float(p_values(sample, Settings())[0]) < 0.05
    assert rejected / 200 < 0.09  # 0.05 + 2.6 standard errors


def test_bins_that_are_the_same_throughout_are_not_tested(carried: Results) -> None:
    new = carried.scores["cell"] == "new"
    few = carried.scores["clip"].isin(FEW)
    flat = replace(carried, scores=carried.scores.assign(value=0.5 + 0.1 * (new & few)))
    found = break_down(flat, ("new", "old"), J, BINS[:2]).set_index("bin")
    assert found.loc["small", "apart_difference"] == pytest.approx(0.1)
    assert found.loc["small", "apart_remark"] == NO_SPREAD
    assert np.isnan(found.loc["small", ["apart_low", "apart_p_holm"]].astype(float)).all()
    assert not found["apart_significant"].any()


def test_bins_without_clips_or_with_one(carried: Results) -> None:
    bins = [Bin("class", "gone", {"nobody"}), Bin("class", "one", {"c000"})]
    found = break_down(carried, ("new", "old"), J, bins)
    assert found["bin"].tolist() == [ALL, "one"]
    assert np.isnan(found.loc[1, ["low", "p_holm"]].astype(float)).all()
    assert found.loc[1, "remark"] and not found.loc[1, "significant"]
    assert break_down(carried, ("new", "old"), ("test", "F"), bins).empty


def test_parts_of_a_derived_split_are_bins(exact) -> None:
    held = {
        cell: {
            part: {"J": {f"c{n}": 0.5 + gain * (1 + (n - 1.5) / 10) for n in range(4)}}
            for part, gain in (("test_s", once), ("test_u", 3 * once))
        }
        for cell, once in (("b", 0.0), ("a", 0.1))
    }
    results = load_runs(exact({(cell, seed): held[cell] for cell in held for seed in (0, 1)}))
    mix = ("mix", "J")
    bins = part_bins(score_arrays(results, [mix])[mix], ("test_s", "test_u"))
    found = break_down(results, ("a", "b"), mix, bins).set_index("bin")
    assert found["difference"].tolist() == pytest.approx([0.2, 0.1, 0.3])
    assert found["num_clips"].tolist() == [8, 4, 4]
    assert found.loc["test u", "attribute"] == "split"


def labels(**columns: object) -> pd.DataFrame:
    usual = {
        "clip": list("abcdef"),
        "size": [0.01, 0.02, 0.05, 0.1, 0.2, np.nan],
        "empty": [0.0, 0.2, 0.0, 0.0, 0.4, 1.0],
        "classes": [["dog"], ["bell", "dog"], ["dog"], ["cat"], ["bell", "cat", "dog"], []],
        "seen": [True, False, True, True, False, True],
    }
    return pd.DataFrame(usual | columns)


def test_attributes_become_bins() -> None:
    bins, notes = attribute_bins(labels())
    assert notes == []
    held = {(own.attribute, own.name): "".join(sorted(own.clips)) for own in bins}
    assert held == {
        ("object size", "below 3.0% of the frame"): "ab",
        ("object size", "3.0% to 8.3%"): "c",
        ("object size", "8.3% and more"): "de",
        ("sources", "none"): "f",
        ("sources", "1 source"): "acd",
        ("sources", "2 sources"): "b",
        ("sources", "3 and more"): "e",
        ("silence", "an object in every frame"): "acd",
        ("silence", "none in some frames"): "be",
        ("silence", "none at all"): "f",
        ("training", "all classes seen"): "acdf",
        ("training", "some class unseen"): "be",
        ("class", "bell"): "be",
        ("class", "cat"): "de",
        ("class", "dog"): "abce",
    }


def test_what_does_not_tell_clips_apart_is_said() -> None:
    unknown = labels(
        classes=[None] * 6, seen=[None] * 6, empty=[0.0] * 6, size=[0.1] * 5 + [np.nan]
    )
    bins, notes = attribute_bins(unknown)
    assert bins == []
    assert notes == [
        "no breakdown by object size: the data do not tell",
        "no breakdown by sources: the data do not tell",
        "no breakdown by silence: all clips are alike: an object in every frame",
        "no breakdown by training: the data do not tell",
    ]
