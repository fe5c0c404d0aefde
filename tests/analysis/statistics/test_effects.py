from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.anova import AnovaRM

from analysis.statistics.crossed_means import CLIPS, USUAL, Settings, p_values
from analysis.statistics.effects import grid_effects, joint_test
from analysis.statistics.score_arrays import Sample
from analysis.statistics.significance import holm

AXES = {"size": ("s", "m"), "loss": ("off", "on")}


def planted(size: str, loss: str) -> float:
    """Size is worth 0.05, loss nothing by itself, and both together 0.06 more."""
    return 0.4 + 0.05 * (size == "m") + 0.06 * (size == "m" and loss == "on")


def test_estimate_and_interval_by_hand(grid_of) -> None:
    """With one seed the interval of a main effect is that of a t-test over clips."""
    from scipy import stats

    results = grid_of(AXES, planted, num_seeds=1)
    found = grid_effects(results)
    wide = results.scores.pivot(index="clip", columns="cell", values="value")
    main = (wide["m, off"] + wide["m, on"] - wide["s, off"] - wide["s, on"]) / 2
    both = wide["m, on"] - wide["m, off"] - wide["s, on"] + wide["s, off"]
    rows = found.found.set_index("effect")
    for name, by_clip in (
        ("size: m − s", main),
        ("size: m − s × loss: on − off", both),
    ):
        expected = stats.ttest_1samp(by_clip, 0)
        interval = expected.confidence_interval(0.95)
        assert rows.loc[name, "difference"] == pytest.approx(by_clip.mean())
        assert rows.loc[name, ["low", "high"]].tolist() == pytest.approx([*interval])
        assert rows.loc[name, "p"] == pytest.approx(expected.pvalue)
    assert set(rows["varies"]) == {"clips"} and set(rows["num_runs"]) == {4}


def test_planted_effects_are_found(grid_of) -> None:
    found = grid_effects(grid_of(AXES, planted, num_seeds=4, num_clips=30))
    rows = found.found.set_index("effect")
    for name, truth in {
        "size: m − s": 0.08,
        "loss: on − off": 0.03,
        "size: m − s × loss: on − off": 0.06,
    }.items():
        assert rows.loc[name, "low"] < truth < rows.loc[name, "high"]
    assert rows["significant"].tolist() == [True, True, True]
    # One level beside the reference: together is alone.
    np.testing.assert_allclose(found.joint["p"], found.found["p"], rtol=1e-5)
    np.testing.assert_allclose(found.joint["p_holm"], found.found["p_holm"], rtol=1e-5)


def test_main_effects_are_one_family_and_interactions_another(grid_of) -> None:
    axes = {**AXES, "text": ("no", "yes", "both")}
    found = grid_effects(grid_of(axes, lambda *_: 0.5))
    kinds = {effect.name: effect.kind for effect in found.effects}
    for kind in ("main effect", "interaction"):
        own = found.found[found.found["effect"].map(kinds) == kind]
        assert own["p_holm"].tolist() == pytest.approx(holm(own["p"].tolist()))
        joint = found.joint[found.joint["kind"] == kind]
        assert joint["p_holm"].tolist() == pytest.approx(holm(joint["p"].tolist()))
    assert found.joint["axes"].tolist() == [
        *("size", "loss", "text"),
        *("size × loss", "size × text", "loss × text"),
    ]


def test_intervals_cover_planted_effects(grid_of) -> None:
    """80 grids of two seeds with three effects each; 0.95, and more where all parts vary."""
    truths = {
        "size: m − s": 0.08,
        "loss: on − off": 0.03,
        "size: m − s × loss: on − off": 0.06,
    }
    results = grid_of(AXES, planted, num_seeds=2, num_clips=15, spread=(0.0, 0.0, 0.0))
    rng = np.random.default_rng(8)
    held = []
    for _ in range(80):
        noise = np.zeros(len(results.scores))
        for keys, size in ((["cell", "seed"], 0.01), (["cell", "clip"], 0.02)):
            numbers = results.scores.groupby(keys).ngroup()
            noise += rng.normal(0, size, numbers.max() + 1)[numbers]
        value = results.scores["value"] + noise + rng.normal(0, 0.01, len(noise))
        found = grid_effects(replace(results, scores=results.scores.assign(value=value)))
        rows = found.found.set_index("effect")
        held += [rows.loc[n, "low"] <= t <= rows.loc[n, "high"] for n, t in truths.items()]
    assert 0.92 < np.mean(held) < 1.0


def test_a_grid_that_is_not_full_is_not_tested_together(grid_of) -> None:
    found = grid_effects(grid_of(AXES, planted, left_out=["m, on"]))
    assert found.joint.empty and len(found.notes) == 1
    assert len(found.found) == 2 and not found.joint["significant"].any()


def test_cells_that_share_nothing_are_named(grid_of) -> None:
    results = grid_of({**AXES, "size": ("s", "m", "l")}, lambda *_: 0.5)
    strange = results.scores["cell"].isin(["l, off", "l, on"])
    scores = results.scores.assign(seed=results.scores["seed"] + 10 * strange)
    found = grid_effects(replace(results, scores=scores))
    assert "size: l − s" not in set(found.found["effect"])
    assert "size: l − s: its cells share no J on test" in found.notes


def test_a_grid_without_two_axes_has_none(grid_of) -> None:
    assert grid_effects(grid_of({"size": ("s", "m")}, lambda *_: 0.5)) is None


def orthonormal(size: int) -> np.ndarray:
    return np.linalg.qr(np.eye(size)[:, 1:] - 1 / size)[0].T


def scores(
    rng: np.random.Generator, levels: int, seeds: int, clips: int, spread: tuple[float, ...]
) -> np.ndarray:
    """Scores of levels that differ from seed to seed and clip to clip, and not on average."""
    shapes = ((levels, seeds, 1), (levels, 1, clips), (levels, seeds, clips))
    return sum(s * rng.normal(size=shape) for s, shape in zip(spread, shapes, strict=True))


@pytest.mark.parametrize(("seeds", "strata"), [(1, (12,)), (2, (12,)), (5, (4, 8))])
def test_one_row_is_tested_as_its_interval_does(seeds: int, strata: tuple[int, ...]) -> None:
    values = np.random.default_rng(1).normal(0.4, 1, (1, seeds, 12))
    sample = Sample(values, strata)
    expected = float(p_values(sample, USUAL)[0])
    assert joint_test(sample, USUAL).p == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("settings", [USUAL, Settings(over=CLIPS)])
def test_over_clips_it_is_the_anova_of_repeated_measures(settings: Settings) -> None:
    seeds = 1 if settings is USUAL else 3
    values = scores(np.random.default_rng(2), 4, seeds, 10, (0.1, 1.0, 0.5))
    values += np.array([0, 0.4, 0.8, 0.2])[:, None, None]
    frame = pd.DataFrame(
        [(c, k, values[k, :, c].mean()) for c in range(10) for k in range(4)],
        columns=["clip", "level", "score"],
    )
    expected = AnovaRM(frame, "score", "clip", within=["level"]).fit().anova_table
    contrasts = np.einsum("ik,ksc->isc", orthonormal(4), values)
    found = joint_test(Sample(contrasts, (10,)), settings)
    assert found.rows == expected["Num DF"].iloc[0]
    assert found.statistic == pytest.approx(expected["F Value"].iloc[0])
    assert found.p == pytest.approx(expected["Pr > F"].iloc[0])


def test_it_does_not_hang_on_the_choice_of_contrasts() -> None:
    values = scores(np.random.default_rng(3), 3, 3, 9, (1.0, 1.0, 1.0))
    basis = orthonormal(3)
    turned = np.array([[0.6, 0.8], [-0.8, 0.6]]) @ basis
    samples = [Sample(np.einsum("ik,ksc->isc", b, values), (9,)) for b in (basis, turned)]
    first, second = (joint_test(sample, USUAL) for sample in samples)
    assert first == pytest.approx(second)


@pytest.mark.parametrize(
    ("seeds", "spread"), [(2, (1.0, 0.0, 0.01)), (3, (0.2, 1.0, 0.2)), (3, (0.0, 0.0, 1.0))]
)
def test_the_level_is_kept(seeds: int, spread: tuple[float, ...]) -> None:
    """200 experiments without an effect: seeds alone, both, the rest alone."""
    rng = np.random.default_rng(4)
    rejected = 0
    for _ in range(200):
        values = np.einsum("ik,ksc->isc", orthonormal(3), scores(rng, 3, seeds, 20, spread))
        rejected += joint_test(Sample(values, (20,)), USUAL).p < 0.05
    assert rejected / 200 < 0.09  # 0.05 + 2.6 standard errors


def test_a_large_effect_has_a_small_p_and_nothing_that_varies_none() -> None:
    values = np.random.default_rng(5).normal(50, 1, (2, 5, 30))
    assert 0 < joint_test(Sample(values, (30,)), USUAL).p < 1e-8
    same = joint_test(Sample(np.full((2, 3, 5), 0.1), (5,)), USUAL)
    assert np.isnan([same.statistic, same.p]).all()
    alone = joint_test(Sample(np.ones((2, 3, 1)), (1,)), USUAL)
    assert np.isnan(alone.p)
