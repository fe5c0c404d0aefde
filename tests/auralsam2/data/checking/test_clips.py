"""What index, labels and splits say against each other."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from auralsam2.data.checking.check import check_data
from auralsam2.data.checking.findings import FAULT, KINDS
from auralsam2.data.datasets.index import video_of

from ..trees import paint

INDEX = Path("avss_index") / "metadata.csv"
CAT = (0, 128, 0)
"""Colour of class 2, RGB."""


@pytest.fixture
def splits_root(avsbench_tree: Callable[..., Path]) -> Path:
    """A clip of each split; class 1 is a dog, class 2 a cat."""
    root = avsbench_tree([("v1m", split, 3, 3) for split in ("train", "val", "test")])
    names = {"background": 0, "dog": 1, "cat": 2}
    (root / "label2idx.json").write_text(json.dumps(names))
    return root


def clip(root: Path, number: int) -> Path:
    return root / "v1m" / f"v1m-{number}_0_5000"


def found(root: Path) -> dict[str, list[str]]:
    dull = ("counts_differ", "frames_differ")
    groups = check_data("v1m", root).groups.items()
    return {kind: [str(f) for f in group] for kind, group in groups if kind not in dull}


def test_nothing_is_invented(splits_root: Path) -> None:
    assert found(splits_root) == {}


def test_exchanged_labels_show_another_object(splits_root: Path) -> None:
    index = splits_root / INDEX
    index.write_text(index.read_text().replace("1_0_5000,0,0,dog", "1_0_5000,0,0,cat"))
    (only,) = found(splits_root)["other_sources"]
    assert only == "v1m/v1m-1_0_5000: labels show dog, the index names cat"
    assert KINDS["other_sources"].level == FAULT


def test_an_object_too_many_is_a_warning(splits_root: Path) -> None:
    paint(clip(splits_root, 2) / "labels_rgb" / "1.png", (128, 0, 0), CAT)
    assert found(splits_root) == {
        "unnamed_sources": ["v1m/v1m-2_0_5000: labels show cat, the index names dog"]
    }
    index = splits_root / INDEX
    index.write_text(index.read_text().replace("dog", "dog_mule"))
    assert found(splits_root) == {}, "a name that the list lacks: nothing is compared"


def test_one_clip_under_two_names_is_no_test(splits_root: Path) -> None:
    shutil.rmtree(clip(splits_root, 2))
    shutil.copytree(clip(splits_root, 0), clip(splits_root, 2))
    told = "v1m/v1m-0_0_5000 (train): is v1m/v1m-2_0_5000 (test)"
    assert found(splits_root) == {
        "same_frames_across_splits": [told],
        "same_sound_across_splits": [told],
    }


def test_one_video_in_two_splits(splits_root: Path) -> None:
    index = splits_root / INDEX
    index.write_text(index.read_text().replace("v1m-2,", "v1m-0,"))
    assert found(splits_root) == {"video_across_splits": ["v1m-0: in test, train"]}
    assert video_of("--KCIazGTQM_1") == video_of("--KCIazGTQM_20000_30000") == "--KCIazGTQM"
    assert video_of("clip0_0_3000") == "clip0_0_3000"


def test_a_split_without_rows(splits_root: Path) -> None:
    index = splits_root / INDEX
    index.write_text(index.read_text().replace(",val,", ",train,"))
    assert found(splits_root) == {"missing_split": ["val: the index has test, train"]}


def test_a_class_list_that_counts_from_one_is_a_warning(splits_root: Path) -> None:
    path = splits_root / "label2idx.json"
    path.write_text(json.dumps({"background": 1, "dog": 2, "cat": 3}))
    (told,) = found(splits_root)["class_numbers"]
    assert "it begins with 1, 2, 3" in told
    assert check_data("v1m", splits_root).healthy
