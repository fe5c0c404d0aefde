from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from auralsam2.data.datasets.avsbench import AVSBenchDataset
from auralsam2.data.synthetic.objects import CLASSES
from auralsam2.data.synthetic.scene import least_visible, render
from auralsam2.data.synthetic.writer import Plan, layout_of

from .conftest import PLANS, SIZE


def sounding_masks(plan: Plan, index: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of classes (T, H, W) of what sounds and is seen, and their masks."""
    scene = layout_of(plan).scene(index)
    masks = render(scene, plan.size)[1]
    classes = np.zeros((plan.num_frames, SIZE, SIZE), int)
    for t, n in np.argwhere(scene.sounding):
        classes[t][masks[t, n]] = scene.objects[n].class_index + 1
    return classes, classes > 0


@pytest.mark.parametrize("layout", ["v1s", "v2"])
@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_the_reader_gets_what_was_drawn(written, layout: str, split: str) -> None:
    plan = PLANS[layout]
    dataset = AVSBenchDataset(str(written(layout)), layout, split, image_size=SIZE, semantic=True)
    indices = [i for i in range(sum(plan.counts)) if layout_of(plan).split(i) == split]
    assert len(dataset) == len(indices)
    first_only = (layout, split) == ("v1s", "train")
    for item, index in zip(dataset, indices):
        classes, masks = sounding_masks(plan, index)
        supervised = [t == 0 or not first_only for t in range(plan.num_frames)]
        assert item["supervised"].tolist() == supervised
        assert len(item["log_mel"]) == len(item["frames"]) == plan.num_frames
        np.testing.assert_array_equal(item["native_masks"][supervised], masks[supervised])
        np.testing.assert_array_equal(item["semantic"][supervised], classes[supervised])


def test_one_object_of_v1s_in_sight_sounds_all_the_time() -> None:
    which = []
    for index in range(60):
        scene = layout_of(Plan("v1s", (60, 1, 1), seed=1)).scene(index)
        assert scene.sounding.sum(axis=1).tolist() == [1] * 5
        assert scene.sounding.any(axis=0).sum() == 1 < len(scene.objects)
        assert least_visible(scene) > 0
        which.append(scene.sounding[0].argmax() / (len(scene.objects) - 1))
    # Neither the farthest nor the nearest one more than others.
    assert 0.35 < np.mean(which) < 0.65


def test_train_clips_of_v1s_have_one_label(written) -> None:
    for index in range(5):
        folder = written("v1s") / "v1s" / f"clip{index:05d}_s6"
        names = ["0.png"] if index < 2 else [f"{t}.png" for t in range(5)]
        for labels in ("labels_rgb", "labels_semantic"):
            assert sorted(p.name for p in (folder / labels).iterdir()) == names


def test_sources_of_v2_change() -> None:
    plan = PLANS["v2"]._replace(counts=(40, 1, 1))
    schedules = [layout_of(plan).scene(i).sounding for i in range(40)]
    assert {n for s in schedules for n in s.sum(axis=1)} == {0, 1, 2}
    assert all(s.shape[0] == 10 and len(np.unique(s, axis=0)) > 1 for s in schedules)


def test_bare_numbers_and_colours_of_v2_agree(written) -> None:
    root = written("v2")
    numbers = json.loads((root / "label2idx.json").read_text())
    assert numbers == {"background": 0, **{k.name: i + 1 for i, k in enumerate(CLASSES)}}
    dataset = AVSBenchDataset(str(root), "v2", "test", image_size=SIZE, semantic=True)
    for item in dataset:
        folder = root / "v2" / item["clip"] / "labels_semantic"
        for t in range(10):
            bare = cv2.imread(str(folder / f"{t}.png"), cv2.IMREAD_UNCHANGED)
            np.testing.assert_array_equal(bare, item["semantic"][t])
