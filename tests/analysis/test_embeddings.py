"""Planted points have known companions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.embeddings import COLUMNS, Points, companions, read_points

EAST, NORTH, WEST = np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), np.array([-1.0, 0, 0])


def planted(*listed):
    """Rows and vectors of (clip, frame, kind, category, vector)."""
    rows = [
        (clip, frame, 0, "projected", kind, True, category)
        for clip, frame, kind, category, _ in listed
    ]
    vectors = np.stack([vector for *_, vector in listed]).astype(np.float32)
    return pd.DataFrame(rows, columns=list(COLUMNS)), vectors


def scene(audio, foreground, background):
    """Two classes, three clips of each, one frame of one point a kind."""
    listed = []
    for category in ("dog", "bell"):
        for number in range(3):
            clip = f"{category}{number}"
            listed += [
                (clip, 0, "audio", category, audio[category]),
                (clip, 0, "foreground", category, foreground[category]),
                (clip, 0, "background", category, background),
            ]
    return planted(*listed)


@pytest.fixture
def aligned():
    """Sound and object in one place, by class; the background elsewhere."""
    places = {"dog": EAST, "bell": NORTH}
    return scene(places, places, WEST)


def test_perfectly_aligned_classes(aligned):
    found = companions(*aligned)

    assert found["auroc"] == 1.0
    assert found["silhouette"] == pytest.approx(1.0)
    # Of the five nearest of other clips two are of the class: all that there are.
    assert found["purity"] == pytest.approx(2 / 5)
    assert found["cross_modal_purity"] == pytest.approx(2 / 5)
    assert found["chance_purity"] == pytest.approx(0.5)
    assert found["alignment"] == pytest.approx(0.0)
    assert found["modality_gap"] == pytest.approx(0.0)


def test_background_nearer_than_the_object_is_an_auroc_of_zero():
    found = companions(*scene({"dog": WEST, "bell": WEST}, {"dog": EAST, "bell": NORTH}, WEST))

    assert found["auroc"] == 0.0
    assert found["alignment"] == pytest.approx((4 + 2) / 2)


def test_modality_gap_is_the_distance_of_the_means():
    both = {"dog": NORTH, "bell": NORTH}
    found = companions(*scene({"dog": EAST, "bell": EAST}, both, WEST))

    assert found["modality_gap"] == pytest.approx(2**0.5)


def test_one_point_for_all_is_not_uniform_and_spread_points_are():
    same = {"dog": EAST, "bell": EAST}
    collapsed = companions(*scene(same, same, EAST))["uniformity"]
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(18, 3))
    rows, _ = scene(same, same, EAST)
    spread = companions(rows, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))

    assert collapsed == pytest.approx(0.0)
    assert spread["uniformity"] < -1


def test_purity_looks_at_other_clips_only():
    """Pixels of one clip lie together; of the other clips none is of its class."""
    found = companions(
        *planted(
            *[("a", 0, "foreground", "dog", EAST)] * 3,
            *[("b", 0, "foreground", "bell", NORTH)] * 3,
        )
    )

    assert found["purity"] == 0.0


def test_what_the_points_do_not_allow_is_not_a_number():
    found = companions(*planted(("a", 0, "foreground", "several", EAST)))

    assert all(np.isnan(found[key]) for key in found), found


def test_points_of_a_space_and_level_stay_with_their_vectors(tmp_path):
    rows = [("a", 0, level, space, "audio", True, "dog") for level in (0, 1) for space in "xy"]
    points = Points(
        pd.DataFrame(rows, columns=list(COLUMNS)),
        {"x": np.array([[0.0], [1.0]]), "y": np.array([[2.0], [3.0]])},
    )

    for space, level, wanted in (("x", 1, 1.0), ("y", 0, 2.0)):
        chosen, vectors = points.select(space, level)
        assert vectors.tolist() == [[wanted]] and len(chosen) == 1
    with pytest.raises(FileNotFoundError):
        read_points(tmp_path)
