from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from auralsam2.data.collate import collate_clips
from auralsam2.data.datasets.avsbench import AVSBenchDataset
from auralsam2.data.datasets.semantic import class_colours, read_class_map
from auralsam2.data.problems import DataError
from auralsam2.structures import UNLABELLED

from ..trees import paint

NAMES = ["background", "dog", "cat", "hen"]
RED, GREEN = (128, 0, 0), (0, 128, 0)


def write_names(root: Path, names: list[str] = NAMES) -> None:
    numbers = {name: number for number, name in enumerate(names)}
    (root / "label2idx.json").write_text(json.dumps(dict(sorted(numbers.items()))))


def test_colours_are_those_of_pascal_voc() -> None:
    colours = class_colours(71).tolist()
    known = {
        0: [0, 0, 0],
        1: [128, 0, 0],
        2: [0, 128, 0],
        7: [128, 128, 128],
        11: [192, 128, 0],
        20: [0, 64, 128],
        50: [0, 192, 64],
    }
    assert {number: colours[number] for number in known} == known
    assert len({tuple(c) for c in colours}) == 71


def test_classes_follow_colours(avsbench_tree, tmp_path: Path) -> None:
    root = avsbench_tree([("v2", "train", 2, 2)])
    write_names(root)
    labels = root / "v2" / "v2-0_0_5000" / "labels_rgb"
    paint(labels / "0.png", RED, (128, 128, 0))
    paint(labels / "1.png", (0, 0, 0), GREEN)
    dataset = AVSBenchDataset(str(root), "v2", image_size=8, semantic=True)
    assert dataset.class_map.names == tuple(NAMES)
    item = dataset[0]
    assert item["semantic"].dtype == torch.uint8
    expected = torch.tensor([[1] * 4 + [3] * 4, [0] * 4 + [2] * 4], dtype=torch.uint8)
    assert torch.equal(item["semantic"], expected[..., None].expand(2, 8, 8))
    assert torch.equal(item["masks"] > 0, item["semantic"] > 0)
    assert collate_clips([item, item])["semantic"].shape == (2, 2, 8, 8)
    plain = AVSBenchDataset(str(root), "v2", image_size=8)[0]
    assert "semantic" not in plain and torch.equal(plain["masks"], item["masks"])


def test_colours_of_no_class_are_named_with_their_file(avsbench_tree) -> None:
    root = avsbench_tree([("v2", "train", 1, 1)])
    write_names(root)
    path = root / "v2" / "v2-0_0_5000" / "labels_rgb" / "0.png"
    paint(path, (255, 255, 255), (0, 0, 128))  # class 4 of 4, counted from 0
    with pytest.raises(DataError) as caught:
        AVSBenchDataset(str(root), "v2", image_size=8, semantic=True)[0]
    told = f"'{path}' has colours of no class: RGB (0, 0, 128), (255, 255, 255);"
    assert told in str(caught.value)


def test_frames_without_a_label_are_of_no_class(avsbench_tree) -> None:
    root = avsbench_tree([("v1s", "train", 3, 1)])
    write_names(root)
    for transforms in ([], [dict(type="RandomClipAffine")]):
        dataset = AVSBenchDataset(
            str(root), "v1s", image_size=16, semantic=True, transforms=transforms
        )
        item = dataset[0]
        assert (item["semantic"][1:] == UNLABELLED).all()
        assert set(item["semantic"][0].unique().tolist()) == {0, 1}


def test_classes_move_with_masks(avsbench_tree) -> None:
    root = avsbench_tree([("v2", "train", 2, 2)])
    write_names(root)
    moves = [dict(type=f"RandomClip{name}") for name in ("Flip", "Affine", "Grey")]
    dataset = AVSBenchDataset(str(root), "v2", image_size=24, semantic=True, transforms=moves)
    seen = set()
    for epoch in range(4):
        dataset.set_epoch(epoch)
        item = dataset[0]
        assert torch.equal(item["masks"] > 0, item["semantic"] > 0)
        seen.add(int(item["semantic"].sum()))
    assert len(seen) > 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "no JSON"),
        ('{"background": 0, "dog": 2}', "0, 1, 2"),
        ('{"background": 0, "dog": "1"}', "0, 1, 2"),
        ("[]", "names"),
    ],
)
def test_odd_lists_of_classes_are_refused(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "label2idx.json").write_text(text)
    with pytest.raises(DataError, match=told):
        read_class_map(tmp_path)


def test_a_missing_list_of_classes_is_named(avsbench_tree) -> None:
    root = avsbench_tree([("v2", "train", 1, 1)])
    with pytest.raises(FileNotFoundError, match=r"label2idx\.json'; semantic=True needs it"):
        AVSBenchDataset(str(root), "v2", semantic=True)


def test_colours_and_class_pictures_of_a_release_agree(photographs: Path) -> None:
    root = photographs / "AVSBench"
    class_map = read_class_map(root)
    assert len(class_map.names) == 71 and class_map.names[70] == "woman"
    classes = set()
    for path in sorted(root.glob("v2/*/labels_rgb/[05].png")):
        stored = cv2.imread(str(path.parents[1] / "labels_semantic" / path.name), -1)
        read = class_map.read(path)
        assert np.array_equal(read, stored)
        classes |= set(np.unique(read).tolist())
    assert len(classes) > 3
