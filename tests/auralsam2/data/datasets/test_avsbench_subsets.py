"""V1S, V2 and all of AVSBench together; V1M is tested in test_avsbench.py."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from auralsam2.data.datasets.avsbench import AVSBenchDataset
from auralsam2.registry import DATASETS


def paint(path: Path, *rows: tuple[int, int, int]) -> None:
    """Overwrite a label: one BGR colour a third of the height."""
    label = np.zeros((24, 32, 3), np.uint8)
    for i, colour in enumerate(rows):
        label[8 * i : 8 * (i + 1)] = colour
    cv2.imwrite(str(path), label)


def test_one_source_supervises_the_first_frame_in_training_only(avsbench_tree) -> None:
    root = str(avsbench_tree([("v1s", "train", 5, 1), ("v1s", "val", 5, 5), ("v1s", "test", 5, 5)]))
    item = AVSBenchDataset(root, "v1s", image_size=48)[0]
    assert item["supervised"].tolist() == [True] + [False] * 4
    assert item["native_masks"].shape == (5, 24, 32) and item["masks"].shape == (5, 48, 48)
    for key in ("masks", "native_masks"):
        assert item[key][0].any() and not item[key][1:].any()
    for split in ("val", "test"):
        item = AVSBenchDataset(root, "v1s", split, image_size=48)[0]
        assert item["supervised"].all() and item["masks"].flatten(1).any(dim=1).all()


def test_v2_is_class_agnostic_and_has_ten_frames_beside_the_others_five(avsbench_tree) -> None:
    root = avsbench_tree([("v2", "train", 10, 10), ("v1m", "train", 5, 5)])
    folder = root / "v2" / "v2-0_0_5000" / "labels_rgb"
    paint(folder / "3.png", (0, 0, 128), (64, 0, 0), (255, 255, 255))
    dataset = AVSBenchDataset(str(root), ("v2", "v1m"), image_size=32)
    long, short = dataset[0], dataset[1]
    assert long["frames"].shape[0] == 10 == len(long["log_mel"])
    assert short["frames"].shape[0] == 5 == len(short["log_mel"])
    assert long["masks"][3].all() and set(long["masks"].unique().tolist()) == {0, 1}


def test_subsets_are_read_one_after_the_other(avsbench_tree) -> None:
    root = str(
        avsbench_tree([("v2", "train", 10, 10), ("v1m", "train", 5, 5), ("v1s", "train", 5, 1)])
    )
    node = dict(type="AVSBenchDataset", subset=["v1s", "v1m", "v2"])  # as a config file gives it
    dataset = DATASETS.build(node, root=root, image_size=16)
    assert [name.split("-")[0] for name in dataset.clips] == ["v1s", "v1m", "v2"]
    assert [int(item["supervised"].sum()) for item in dataset] == [1, 5, 10]
    assert repr(dataset).startswith("AVSBenchDataset(v1s+v1m+v2/train, 3 clips of ")
    prints = {
        AVSBenchDataset(root, subset, image_size=16).fingerprint()
        for subset in ("v1s", ("v1s", "v2"), ("v1s", "v1m", "v2"))
    }
    assert len(prints) == 3


@pytest.mark.parametrize("labels", ["nearest", "bilinear"])
def test_the_released_rule_of_one_source_keeps_white(avsbench_tree, labels: str) -> None:
    root = avsbench_tree([("v1s", "train", 2, 1), ("v2", "train", 2, 2)])
    for path in (root / "v1s").glob("*/labels_rgb/0.png"):
        paint(path, (4, 0, 0), (255, 255, 255), (0, 0, 128))  # blue 4 is too dark for luminance

    def rows(rule: str, subset: object) -> list[list[int]]:
        dataset = AVSBenchDataset(
            str(root), subset, image_size=96, label_rule=rule, mask_interpolation=labels
        )
        return dataset[0]["masks"][:, [0, 48, 80], 3].tolist()

    assert rows("published", "v1s") == [[1, 1, 1], [0, 0, 0]]
    assert rows("released", "v1s") == [[0, 255, 1], [255, 255, 255]]
    # The tree of v2 knows no value to ignore, and fills with 0.
    assert rows("released", ("v1s", "v2")) == [[0, 1, 1], [0, 0, 0]]


def test_photographs_of_every_subset_load(photographs: Path) -> None:
    root = photographs / "AVSBench"
    counts = {}
    for split in ("train", "val", "test"):
        for subset in ("v1s", "v1m", "v2", ("v1s", "v1m", "v2")):
            dataset = AVSBenchDataset(str(root), subset, split, image_size=32)
            counts[dataset.name] = len(dataset)
            for index in (0, len(dataset) - 1):
                item = dataset[index]
                assert len({len(item[k]) for k in ("frames", "log_mel", "masks")}) == 1
                assert item["frames"].float().std() > 5
                assert min(item["native_masks"].shape[1:]) >= 224
                assert np.log(0.01) - 1e-4 <= item["log_mel"].min() < item["log_mel"].max() < 8
                assert set(item["native_masks"].unique().tolist()) <= {0, 1}
                first_only = split == "train" and (root / "v1s" / item["clip"]).is_dir()
                assert bool(item["supervised"].all()) != first_only
                assert not item["masks"][~item["supervised"]].any()
    assert list(counts.values()) == [4, 48, 3, 55, 2, 12, 1, 15, 2, 20, 2, 24]
