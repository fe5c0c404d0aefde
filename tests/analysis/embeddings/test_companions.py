"""Planted points have known companions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from analysis.embeddings import companions as module
from analysis.embeddings.companions import COMPANIONS, companions
from analysis.embeddings.points import COLUMNS

EAST, NORTH, WEST = np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), np.array([-1.0, 0, 0])


def planted(*listed):
    """Return rows and vectors of (clip, frame, kind, category, vector)."""
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
    # All that there are: no better than chance.
    assert found["chance_purity"] == pytest.approx(2 / 5)
    assert found["cross_modal_chance"] == pytest.approx(2 / 5)
    assert list(found) == list(COMPANIONS)
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
    collapsed = companions(*scene(same, same, EAST))
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(18, 3))
    rows, _ = scene(same, same, EAST)
    spread = companions(rows, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))

    for key in ("uniformity", "audio_uniformity"):
        assert collapsed[key] == pytest.approx(0.0)
        assert spread[key] < -1


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


def test_uniformity_of_two_opposite_points():
    found = companions(
        *planted(("a", 0, "foreground", "dog", EAST), ("b", 0, "foreground", "dog", WEST))
    )

    assert found["uniformity"] == pytest.approx(-2 * 4)


def test_pixels_and_sounds_have_their_own_uniformity():
    apart = {"dog": EAST, "bell": NORTH}
    same = {"dog": WEST, "bell": WEST}
    found = companions(*scene(same, apart, WEST))

    # Of 15 pairs of pixels, 9 are of two classes and sqrt(2) apart.
    assert found["uniformity"] == pytest.approx(np.log((6 + 9 * np.exp(-4)) / 15))
    assert found["audio_uniformity"] == pytest.approx(0.0)


def test_any_sound_finds_objects_that_stand_out_by_their_looks():
    """One audio point for all, near all objects: AUROC 1, of which sound explains nothing."""
    heard = {"dog": EAST, "bell": EAST}
    found = companions(*scene(heard, heard, WEST))

    assert found["auroc"] == found["other_auroc"] == 1.0


@pytest.mark.parametrize("classes", [("dog", "bell"), ("unknown", "unknown")])
def test_only_its_own_sound_finds_an_object(classes):
    """The background of each clip looks like the object of the other one."""
    listed = []
    for clip, category, own, other in zip("ab", classes, (EAST, NORTH), (NORTH, EAST)):
        listed += [
            (clip, 0, "audio", category, own),
            (clip, 0, "foreground", category, own),
            (clip, 0, "background", category, other),
        ]
    found = companions(*planted(*listed))

    assert found["auroc"] == 1.0 and found["other_auroc"] == 0.0


def test_another_clip_of_the_same_class_is_no_other_sound():
    """Every sound finds the objects of its class, and no others."""
    heard = {"dog": EAST, "bell": NORTH}
    listed = []
    for category, other in (("dog", "bell"), ("bell", "dog")):
        for clip in range(3):
            listed += [
                (f"{category}{clip}", 0, "audio", category, heard[category]),
                (f"{category}{clip}", 0, "foreground", category, heard[category]),
                (f"{category}{clip}", 0, "background", category, heard[other]),
            ]

    assert companions(*planted(*listed))["other_auroc"] == 0.0


def test_ties_count_half():
    found = companions(
        *planted(
            ("a", 0, "audio", "dog", EAST),
            ("a", 0, "foreground", "dog", NORTH),
            ("a", 0, "background", "dog", NORTH),
            ("a", 0, "background", "dog", WEST),
        )
    )

    assert found["auroc"] == 0.75 and np.isnan(found["other_auroc"])


def test_neighbours_across_modalities():
    """Sounds of each class lie where the pixels of the other class do."""
    heard, seen = {"dog": EAST, "bell": NORTH}, {"dog": NORTH, "bell": EAST}
    listed = [
        (f"{category}{clip}", frame, kind, category, places[category])
        for category in ("dog", "bell")
        for clip in range(3)
        for frame in range(6)
        for kind, places in (("audio", heard), ("foreground", seen))
    ]
    found = companions(*planted(*listed))

    assert found["purity"] == 1.0 and found["cross_modal_purity"] == 0.0
    # 12 of the 30 pixels of other clips.
    assert found["chance_purity"] == found["cross_modal_chance"] == pytest.approx(0.4)


def test_auroc_is_that_of_scikit_learn():
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(21, 4)).round(1)
    rows, own = planted(
        ("a", 0, "audio", "dog", vectors[0]),
        *(("a", 0, "foreground", "dog", v) for v in vectors[1:9]),
        *(("a", 0, "background", "dog", v) for v in vectors[9:]),
    )
    labels = (rows["kind"][1:] == "foreground").to_numpy()

    expected = roc_auc_score(labels, own[1:] @ own[0])
    assert companions(rows, own)["auroc"] == pytest.approx(expected)


def test_order_and_index_of_rows_do_not_matter():
    rng = np.random.default_rng(0)
    rows, _ = scene({"dog": EAST, "bell": EAST}, {"dog": EAST, "bell": EAST}, WEST)
    vectors = rng.normal(size=(len(rows), 5))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    order = rng.permutation(len(rows))

    mixed = companions(rows.iloc[order], vectors[order])
    assert mixed == pytest.approx(companions(rows, vectors))


def test_more_points_than_are_taken(monkeypatch):
    """The parts over pairs see some of the points; the others see all."""
    rng = np.random.default_rng(1)
    listed = [
        (f"{category}{clip}", 0, kind, category, place + rng.normal(0, 0.1, 3))
        for category, place in (("dog", EAST), ("bell", NORTH))
        for clip in range(20)
        for kind in ("audio", *["foreground"] * 5, *["background"] * 2)
    ]
    rows, vectors = planted(*listed)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    every = companions(rows, vectors)
    monkeypatch.setattr(module, "_MOST_POINTS", 60)
    monkeypatch.setattr(module, "_ROWS_AT_ONCE", 7)
    some = companions(rows, vectors)

    assert some != every and some == companions(rows, vectors)
    assert some == pytest.approx(every, abs=0.08)
    for key in ("auroc", "alignment", "modality_gap", "cross_modal_purity"):
        assert some[key] == pytest.approx(every[key])
