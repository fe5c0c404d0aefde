from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from auralsam2.data.checking.check import check_data
from auralsam2.data.datasets.avsbench import AVSBenchDataset
from auralsam2.data.synthetic.objects import CLASSES
from auralsam2.data.synthetic.scene import least_visible, render
from auralsam2.data.synthetic.writer import Plan, layout_of, write_clips

SIZE = 32
PLANS = {
    "v1s": Plan("v1s", (2, 1, 2), seed=6, size=SIZE),
    "v2": Plan("v2", (2, 1, 2), seed=6, size=SIZE, num_frames=10),
}


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    parent = tmp_path_factory.mktemp("layouts")
    for layout, plan in PLANS.items():
        assert write_clips(parent / layout, plan)
    return {layout: parent / layout for layout in PLANS}


def sounding_masks(plan: Plan, index: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of classes (T, H, W) of what sounds and is seen, and their masks."""
    scene = layout_of(plan).scene(index)
    masks = render(scene, plan.size)[1]
    classes = np.zeros((plan.num_frames, SIZE, SIZE), int)
    for t, n in np.argwhere(scene.sounding):
        classes[t][masks[t, n]] = scene.objects[n].class_index + 1
    return classes, classes > 0


@pytest.mark.parametrize("layout", PLANS)
@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_the_reader_gets_what_was_drawn(roots: dict[str, Path], layout: str, split: str) -> None:
    plan = PLANS[layout]
    dataset = AVSBenchDataset(str(roots[layout]), layout, split, image_size=SIZE, semantic=True)
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


@pytest.mark.parametrize("layout", PLANS)
def test_check_data_finds_nothing(roots: dict[str, Path], layout: str) -> None:
    report = check_data(layout, roots[layout])
    assert report.healthy, report.to_text()


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


def test_train_clips_of_v1s_have_one_label(roots: dict[str, Path]) -> None:
    for index in range(5):
        folder = roots["v1s"] / "v1s" / f"clip{index:05d}_s6"
        names = ["0.png"] if index < 2 else [f"{t}.png" for t in range(5)]
        for labels in ("labels_rgb", "labels_semantic"):
            assert sorted(p.name for p in (folder / labels).iterdir()) == names


def test_sources_of_v2_change() -> None:
    plan = PLANS["v2"]._replace(counts=(40, 1, 1))
    schedules = [layout_of(plan).scene(i).sounding for i in range(40)]
    assert {n for s in schedules for n in s.sum(axis=1)} == {0, 1, 2}
    assert all(s.shape[0] == 10 and len(np.unique(s, axis=0)) > 1 for s in schedules)


def test_bare_numbers_and_colours_of_v2_agree(roots: dict[str, Path]) -> None:
    numbers = json.loads((roots["v2"] / "label2idx.json").read_text())
    assert numbers == {"background": 0, **{k.name: i + 1 for i, k in enumerate(CLASSES)}}
    dataset = AVSBenchDataset(str(roots["v2"]), "v2", "test", image_size=SIZE, semantic=True)
    for item in dataset:
        folder = roots["v2"] / "v2" / item["clip"] / "labels_semantic"
        for t in range(10):
            bare = cv2.imread(str(folder / f"{t}.png"), cv2.IMREAD_UNCHANGED)
            np.testing.assert_array_equal(bare, item["semantic"][t])


@pytest.mark.parametrize("layout", PLANS)
def test_the_same_seed_gives_the_same_bytes(
    roots: dict[str, Path], layout: str, tmp_path: Path
) -> None:
    write_clips(tmp_path / "again", PLANS[layout], workers=2)
    for path in sorted(p for p in roots[layout].rglob("*") if p.is_file()):
        again = tmp_path / "again" / path.relative_to(roots[layout])
        assert again.read_bytes() == path.read_bytes()
