import numpy as np
import pytest

from analysis.dilution import attention as measure


def spread(*positions, n=16):
    """Attention spread evenly over some positions."""
    a = np.zeros(n)
    a[list(positions)] = 1 / len(positions)
    return a


QUARTER = np.repeat([1.0, 0.0, 0.0, 0.0], 4)  # the mask covers positions 0 to 3 of 16


@pytest.mark.parametrize(
    ("attention", "gain"),
    [
        (spread(0, 1, 2, 3), 1.0),  # all inside
        (np.full(16, 1 / 16), 0.0),  # at chance
        (spread(8, 9), -1 / 3),  # all outside: -r / (1 - r)
        (spread(0, 8), (0.5 - 0.25) / 0.75),
    ],
)
def test_planted_attention_has_the_known_gain(attention, gain):
    assert measure.in_mask_gain(attention, QUARTER) == pytest.approx(gain)


def test_a_position_half_covered_counts_half():
    coverage = np.array([0.5, 0.0, 0.0, 0.0])

    gain = measure.in_mask_gain(np.array([1.0, 0, 0, 0]), coverage)

    assert gain == pytest.approx((0.5 - 0.125) / 0.875)


def test_gain_keeps_the_leading_axes_and_is_undefined_without_chance():
    maps = np.random.default_rng(0).dirichlet(np.ones(16), size=(8, 4))

    assert measure.in_mask_gain(maps, QUARTER).shape == (8, 4)
    assert np.isnan(measure.in_mask_gain(maps, np.zeros(16))).all()
    assert np.isnan(measure.in_mask_gain(maps, np.ones(16))).all()


def test_entropy_is_zero_at_a_point_and_one_when_uniform():
    assert measure.normalised_entropy(spread(5)) == pytest.approx(0)
    assert measure.normalised_entropy(np.full(16, 1 / 16)) == pytest.approx(1)
    assert measure.normalised_entropy(spread(0, 1, 2, 3)) == pytest.approx(0.5)


def test_divergence_of_equal_maps_is_zero_and_of_disjoint_ones_ln_2():
    assert measure.js_divergence(spread(1, 2), spread(1, 2)) == 0
    assert measure.js_divergence(spread(1, 2), spread(3)) == pytest.approx(np.log(2))


def test_divergence_of_half_shared_attention_is_half_of_ln_2():
    assert measure.js_divergence(spread(0, 1), spread(1, 2)) == pytest.approx(np.log(2) / 2)


def test_divergence_is_symmetric_and_bounded():
    rng = np.random.default_rng(1)
    a, b = rng.dirichlet(np.full(16, 0.2), size=(2, 50))

    values = measure.js_divergence(a, b)

    np.testing.assert_allclose(values, measure.js_divergence(b, a))
    assert (values >= 0).all() and (values <= measure.LN2).all()


def test_relative_change_runs_from_zero_to_two():
    x = np.array([3.0, 4.0])

    assert measure.relative_change(x, x) == 0
    assert measure.relative_change(x, -x) == pytest.approx(2)
    assert measure.relative_change(x, 0 * x) == pytest.approx(2)
    assert measure.relative_change(0 * x, 0 * x) == 0


def test_cosine_of_a_zero_vector_is_undefined():
    x = np.array([[1.0, 0.0], [0.0, 0.0]])

    np.testing.assert_allclose(
        measure.cosine(x, np.array([[1.0, 1.0], [1.0, 1.0]])), [2**-0.5, np.nan]
    )


def test_dilution_is_the_share_that_is_lost():
    first, final = [0.4, 0.4, 0.4, 0.0, -0.1], [0.1, 0.4, 0.8, 0.3, 0.3]

    np.testing.assert_allclose(measure.dilution(first, final), [0.75, 0.0, -1.0, np.nan, np.nan])


def test_the_inside_mean_weighs_by_coverage():
    assert measure.inside_mean([2.0, 4.0, 100.0], [1.0, 0.5, 0.0]) == pytest.approx(8 / 3)
    assert np.isnan(measure.inside_mean([1.0, 2.0], [0.0, 0.0]))
