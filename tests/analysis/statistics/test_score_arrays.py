from __future__ import annotations

from pathlib import Path

import numpy as np

from analysis.runs.results import load_runs
from analysis.statistics.score_arrays import complete_groups, score_arrays

J = ("test", "J")
NAN = float("nan")


def test_axes_are_cells_seeds_and_sorted_clips(exact) -> None:
    scores = {
        ("b", 7): {"y": 0.2, "x": 0.1},
        ("a", 3): {"x": 0.3, "y": 0.4},
        ("a", 7): {"x": 0.5, "y": 0.6},
    }
    array = score_arrays(load_runs(exact(scores)), [J])[J]
    assert (array.cells, array.seeds, array.clips) == (("b", "a"), (3, 7), ("x", "y"))
    np.testing.assert_array_equal(
        array.values, [[[NAN, NAN], [0.1, 0.2]], [[0.3, 0.4], [0.5, 0.6]]]
    )


def test_a_clip_without_a_number_is_left_out_of_its_row_alone(exact) -> None:
    scores = {
        (cell, seed): {"x": 0.1, "y": NAN if (cell, seed) == ("a", 1) else 0.2, "z": 0.3}
        for cell in ("b", "a", "c")
        for seed in (0, 1)
    }
    groups = list(complete_groups(score_arrays(load_runs(exact(scores)), [J])))
    shapes = {cell: group.sample.values.shape[1:] for group in groups for _, cell in group.labels}
    assert shapes == {"a": (2, 2), "b": (2, 3), "c": (2, 3)}
    assert not any(np.isnan(group.sample.values).any() for group in groups)


def test_columns_with_the_same_clips_are_one_group(grid_folder: Path) -> None:
    results = load_runs(grid_folder)
    columns = [(split, metric) for split in results.splits for metric in results.metrics]
    (group,) = complete_groups(score_arrays(results, columns))
    assert group.sample.values.shape == (16, 2, 6) and len(set(group.labels)) == 16


SEEN_UNSEEN = {
    "test_s": {"J": {"a": 0.2, "b": 0.4, "c": 0.6}},
    "test_u": {"J": {"a": 1.0}},
}


def test_a_derived_split_has_strata(exact) -> None:
    arrays = score_arrays(load_runs(exact({("b", 0): SEEN_UNSEEN})), [("mix", "J")])
    assert arrays[("mix", "J")].clips == ("test_s/a", "test_s/b", "test_s/c", "test_u/a")
    (group,) = complete_groups(arrays)
    assert group.sample.strata == (3, 1)


def test_a_seed_with_half_a_derived_split_does_not_count(exact) -> None:
    half = {"test_s": SEEN_UNSEEN["test_s"]}
    results = load_runs(exact({("b", 0): SEEN_UNSEEN, ("b", 1): half}), allow_mixed_data=True)
    (group,) = complete_groups(score_arrays(results, [("mix", "J")]))
    assert group.sample.values.shape == (1, 1, 4)


def test_a_column_without_scores_is_left_out(exact) -> None:
    results = load_runs(exact({("b", 0): 0.5}))
    assert list(score_arrays(results, [J, ("test", "F"), ("val", "J")])) == [J]
