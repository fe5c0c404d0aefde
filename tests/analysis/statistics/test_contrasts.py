from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from analysis.runs.controls import Column
from analysis.runs.results import Results, load_runs
from analysis.statistics.contrasts import contrast_of, contrasts
from analysis.statistics.score_arrays import Sample, complete_groups, score_arrays

J = ("test", "J")
SWAPPED = ("test_audio_swapped", "J")
NAN = float("nan")


def contrast(results: Results, weights: Mapping[str, float], column: Column = J) -> Sample | None:
    return contrast_of(results, {(cell, column): weight for cell, weight in weights.items()})


def test_rows_are_paired_by_clip_and_seed(exact) -> None:
    scores = {
        ("b", 0): {"x": 0.1, "y": 0.2},
        ("a", 0): {"y": 0.5, "x": 0.3},
        ("a", 1): {"x": 0.9, "y": 0.9},
    }
    results = load_runs(exact(scores))
    rows = {"a against b": {"a": 1.0, "b": -1.0}}
    (group,) = complete_groups(contrasts(score_arrays(results, [J]), rows))
    assert group.labels == [(J, "a against b")]
    np.testing.assert_allclose(group.sample.values, [[[0.2, 0.3]]])
    sample = contrast(results, rows["a against b"])
    assert sample.strata == (2,)
    np.testing.assert_array_equal(sample.values, group.sample.values)


def test_an_interaction_is_a_difference_of_differences(exact) -> None:
    levels = {"11": (0.9, 0.4), "10": (0.5, 0.3), "01": (0.6, 0.35), "00": (0.4, 0.1)}
    scores = {
        (cell, seed): {"x": x + seed / 100, "y": y}
        for cell, (x, y) in levels.items()
        for seed in (0, 1)
    }
    weights = {"11": 1.0, "10": -1.0, "01": -1.0, "00": 1.0}
    sample = contrast(load_runs(exact(scores)), weights)
    np.testing.assert_allclose(sample.values, [[[0.2, -0.15]] * 2], atol=1e-12)


def test_only_what_all_named_cells_have_counts(exact) -> None:
    """A weight of nought names a cell, too; cells that are not named do not matter."""
    scores = {
        (cell, seed): {"x": 0.1, "y": NAN if (cell, seed) == ("a", 1) else 0.2, "z": 0.3}
        for cell in ("b", "a", "c")
        for seed in ((0, 1) if cell != "c" else (1, 2))
    }
    results = load_runs(exact(scores))

    def shape(weights: dict[str, float]) -> tuple[int, ...] | None:
        sample = contrast(results, weights)
        return None if sample is None else sample.values.shape

    assert shape({"b": 1.0}) == (1, 2, 3)
    assert shape({"b": 1.0, "a": -1.0}) == shape({"b": 1.0, "a": 0.0}) == (1, 2, 2)
    assert shape({"b": 1.0, "a": -0.5, "c": -0.5}) == (1, 1, 2)


def test_nothing_shared_is_none(exact) -> None:
    scores = {("b", 0): {"x": 0.1}, ("a", 1): {"x": 0.2}}
    results = load_runs(exact(scores))
    assert contrast(results, {"a": 1.0, "b": -1.0}) is None
    assert contrast(results, {"a": 1.0}, ("test", "F")) is None
    assert contrast(results, {"a": 1.0}) is not None


def test_real_minus_swapped_sound_is_paired_by_clip(exact) -> None:
    held = {
        "test": {"J": {"x": 0.8, "y": 0.6, "z": 0.7}},
        "test_audio_swapped": {"J": {"z": 0.1, "x": 0.5, "y": NAN}},
    }
    results = load_runs(exact({("b", 0): held}))
    sample = contrast_of(results, {("b", J): 1.0, ("b", SWAPPED): -1.0})
    np.testing.assert_allclose(sample.values, [[[0.3, 0.6]]])


def test_a_derived_split_and_its_control_have_the_same_clips(exact) -> None:
    held = {
        f"{part}{end}": {"J": dict.fromkeys(clips, level)}
        for part, clips in (("test_s", "ab"), ("test_u", "a"))
        for end, level in (("", 0.75), ("_audio_swapped", 0.25))
    }
    results = load_runs(exact({("b", 0): held}))
    columns = {("b", ("mix", "J")): 1.0, ("b", ("mix_audio_swapped", "J")): -1.0}
    sample = contrast_of(results, columns)
    assert sample.strata == (2, 1)
    np.testing.assert_array_equal(sample.values, [[[0.5, 0.5, 0.5]]])
    assert contrast_of(results, columns | {("b", ("test_s", "J")): 1.0}) is None


def test_a_cell_that_is_not_known_is_named(exact) -> None:
    results = load_runs(exact({("dense", 0): {"x": 0.1}}, reference=None))
    with pytest.raises(ValueError, match="unknown cell 'dens'.*dense"):
        contrast(results, {"dens": 1.0})
