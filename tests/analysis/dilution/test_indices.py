import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.dilution import indices as dilution
from analysis.dilution.readings import COLUMNS


def rows(quantity, condition, values, swapped_at=0, clip="a", frame=0):
    """One row a site with planted values."""
    return [
        (clip, frame, quantity, condition, swapped_at, site, -1, "mask", value)
        for site, value in enumerate(values, start=1)
    ]


def frame(listed):
    return pd.DataFrame(listed, columns=list(COLUMNS))


@pytest.fixture
def two_clips():
    return frame(
        rows("gain", "true", [0.4, 0.3, 0.1], clip="a")
        + rows("gain", "true", [0.2, 0.1, 0.1], clip="a", frame=1)
        + rows("gain", "true", [0.5, 0.2, 0.2], clip="b")
        + rows("js", "swapped", [0.2, 0.1, 0.05], clip="a")
        + rows("js", "swapped", [0.4, 0.2, 0.25], clip="b")
        + rows("js", "swapped", [0.1, 0.08, 0.02], swapped_at=1, clip="a")
        + rows("js", "swapped", [0.0, 0.06, 0.04], swapped_at=2, clip="a")
    )


def test_frames_are_averaged_within_clips_first(two_clips):
    means = dilution.curves(dilution.over_seeds(dilution.clip_means({("x", 0): two_clips})))

    gain = means[means["quantity"] == "gain"].set_index("site")
    np.testing.assert_allclose(gain["mean"], [(0.3 + 0.5) / 2, 0.2, 0.15])
    assert list(gain["num_clips"]) == [2, 2, 2]
    assert (gain["low"] <= gain["mean"]).all() and (gain["mean"] <= gain["high"]).all()


def test_seeds_are_averaged_within_clips(two_clips):
    other = two_clips.assign(value=two_clips["value"] + 0.1)

    clips = dilution.over_seeds(dilution.clip_means({("x", 0): two_clips, ("x", 1): other}))

    gain = clips[(clips["quantity"] == "gain") & (clips["site"] == 1)].set_index("clip")["value"]
    assert gain["a"] == pytest.approx(0.35) and gain["b"] == pytest.approx(0.55)


def test_the_indices_are_ratios_of_means(two_clips):
    found = dilution.dilution_indices(dilution.clip_means({("x", 0): two_clips}))

    by_index = found[found["seed"] == dilution.POOLED].set_index("index")["value"]
    assert by_index["D1"] == pytest.approx(1 - 0.15 / 0.4)
    assert by_index["D2"] == pytest.approx(1 - 0.15 / 0.3)


def test_an_index_is_undefined_where_nothing_was_there_to_lose():
    only = frame(
        rows("gain", "true", [-0.1, 0.2, 0.3]) + rows("gain", "true", [-0.2, 0, 0], clip="b")
    )

    found = dilution.dilution_indices(dilution.clip_means({("x", 0): only}))

    assert np.isnan(found["value"].iloc[0]) and np.isnan(found["low"].iloc[0])


def planted(firsts):
    listed = [
        row
        for clip, first in enumerate(firsts)
        for row in rows("gain", "true", [first, 0.1, 0.1], clip=str(clip))
    ]
    return dilution.dilution_indices(dilution.clip_means({("x", 0): frame(listed)})).iloc[0]


@pytest.mark.filterwarnings("error")
def test_a_first_effect_that_is_hardly_above_0_has_no_interval():
    found = planted([1.0, -0.9] * 4)
    assert found["value"] == pytest.approx(1 - 0.1 / 0.05)
    assert np.isnan(found["low"]) and np.isnan(found["high"])


def test_the_ends_of_an_index_are_ratios_that_the_clips_do_not_tell_from_theirs():
    rng = np.random.default_rng(0)
    firsts, finals = 0.4 + rng.normal(0, 0.2, 12), 0.2 + rng.normal(0, 0.1, 12)
    listed = [
        row
        for clip, (first, final) in enumerate(zip(firsts, finals, strict=True))
        for row in rows("gain", "true", [first, final], clip=str(clip))
    ]
    found = dilution.dilution_indices(dilution.clip_means({("x", 0): frame(listed)})).iloc[0]
    assert found["low"] < found["value"] < found["high"]
    for end in (found["low"], found["high"]):
        p = stats.ttest_1samp(finals - (1 - end) * firsts, 0).pvalue
        assert p == pytest.approx(0.05)


def test_indices_cover_the_truth_with_few_clips():
    rng = np.random.default_rng(1)
    covered = []
    for _ in range(400):
        firsts = rng.gamma(4, 0.1, 8)
        low, high = dilution._interval_of_ratio(firsts, 0.5 * firsts + rng.normal(0, 0.05, 8))
        covered += [] if np.isnan(low) else [low <= 0.5 <= high]
    assert len(covered) > 390 and np.mean(covered) >= 0.93


def test_entropy_counts_frames_with_an_empty_mask_alone():
    mixed = frame(
        rows("gain", "true", [0.1, 0.1, 0.1])
        + rows("entropy", "true", [0.9, 0.9, 0.9])
        + rows("gain", "true", [np.nan] * 3, frame=1)
        + rows("entropy", "true", [0.5, 0.4, 0.3], frame=1)
    )

    means = dilution.curves(dilution.over_seeds(dilution.clip_means({("x", 0): mixed})))

    entropy = means[means["quantity"] == "entropy"].set_index("site")["mean"]
    np.testing.assert_allclose(entropy, [0.5, 0.4, 0.3])


def test_the_matrix_holds_the_effect_of_each_site_on_each(two_clips):
    means = dilution.curves(dilution.over_seeds(dilution.clip_means({("x", 0): two_clips})))

    matrix = dilution.site_matrix(means, "x", "swapped")

    np.testing.assert_allclose(matrix.to_numpy(), [[0.1, 0.08, 0.02], [0.0, 0.06, 0.04]])
    assert dilution.site_matrix(means, "x", "silence").empty


def test_bands_are_students_intervals_over_clips(two_clips):
    means = dilution.curves(dilution.over_seeds(dilution.clip_means({("x", 0): two_clips})))

    first = means[(means["quantity"] == "gain") & (means["site"] == 1)].iloc[0]
    ends = stats.ttest_1samp([0.3, 0.5], 0).confidence_interval(0.95)
    assert (first["low"], first["high"]) == pytest.approx((ends.low, ends.high))


def test_seeds_have_rows_of_their_own(two_clips):
    other = two_clips.assign(value=two_clips["value"] * two_clips["site"].map({1: 1, 2: 1, 3: 0.5}))

    found = dilution.dilution_indices(dilution.clip_means({("x", 0): two_clips, ("x", 3): other}))

    values = found[found["index"] == "D2"].set_index("seed")["value"]
    assert list(values.index) == [dilution.POOLED, 0, 3]
    assert values[0] == pytest.approx(1 - 0.15 / 0.3)
    assert values[3] == pytest.approx(1 - 0.075 / 0.3)
    assert values[dilution.POOLED] == pytest.approx(1 - 0.1125 / 0.3)
