from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from auralsam2.data.datasets.ref_avs import RefAVSDataset
from auralsam2.data.synthetic.expressions import phrase
from auralsam2.data.synthetic.objects import CLASSES
from auralsam2.data.synthetic.scene import render
from auralsam2.data.synthetic.words import Description, facts_of
from auralsam2.data.synthetic.writer import layout_of

from .conftest import PLANS, SIZE

PLAN = PLANS["ref_avs"]
SPLITS = ("train", "val", "test_s", "test_u", "test_n")


@pytest.fixture(scope="module")
def root(written) -> Path:
    return written("ref_avs")


@pytest.fixture(scope="module")
def clips(root: Path) -> list[dict]:
    return json.loads((root / "synthetic.json").read_text())["clips"]


def description_of(row: dict) -> Description:
    return Description(tuple(row["looks"]), row["sound"])


def is_null(clip: dict) -> bool:
    return clip["uid"].startswith("null_")


@pytest.mark.parametrize("split", SPLITS)
def test_the_reader_gets_the_object_that_the_words_refer_to(
    root: Path, clips: list[dict], split: str
) -> None:
    dataset = RefAVSDataset(str(root), split, image_size=SIZE)
    at = 0
    for index, clip in enumerate(clips):
        if clip["split"] != split:
            continue
        scene = layout_of(PLAN).scene(index)
        visible = render(scene, SIZE)[1]
        for row in clip["expressions"]:
            item, description = dataset[at], description_of(row)
            number = description.referent(facts_of(scene))
            assert item["text"] == row["exp"]
            assert row["exp"] in {phrase(description, n) for n in range(2)}
            assert item["supervised"].all() and len(item["log_mel"]) == 6
            if is_null(clip):
                assert number is None and not item["native_masks"].any()
            else:
                # The object's, whether it sounds or not.
                np.testing.assert_array_equal(item["native_masks"], visible[:, number])
                assert item["native_masks"].flatten(1).any(dim=1).all()
            at += 1
    assert len(dataset) == at > 0


def test_null_expressions_fit_nothing_and_have_no_masks(root: Path, clips: list[dict]) -> None:
    seen_split, shown = set(), []
    for index, clip in enumerate(clips):
        facts = facts_of(layout_of(PLAN).scene(index))
        assert (root / "gt_mask" / clip["uid"]).exists() is not is_null(clip)
        if not is_null(clip):
            continue
        seen_split.add(clip["split"])
        for row in clip["expressions"]:
            assert "_null_" in row["uid"]
            assert not description_of(row).extent(facts).possible.any()
            shown.append(description_of(row).seen(facts).possible.any())
    assert seen_split == {"train", "test_n"}
    assert all(is_null(clip) for clip in clips if clip["split"] == "test_n")
    # Some name what is not shown, others a sound that what is shown does not make.
    assert 0.3 < np.mean(shown) < 0.8


def test_unseen_classes_are_only_in_test_u(clips: list[dict]) -> None:
    unseen = {kind.name for kind in CLASSES[-3:]}
    for clip in clips:
        shown = unseen & set(clip["objects"])
        assert len(shown) == (2 if clip["split"] == "test_u" else 0)
        if clip["split"] == "test_u":
            assert {clip["objects"][row["fid"]] for row in clip["expressions"]} <= unseen


def test_columns_are_those_of_the_benchmark(root: Path, clips: list[dict]) -> None:
    with open(root / "metadata.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["vid", "uid", "split", "fid", "exp"]
    assert len({row["uid"] for row in rows}) == len(rows)
    for row in rows:
        video = row["uid"].rsplit("_", 2)[0]
        assert video.removeprefix("null_m-") == row["vid"]
        assert (root / "media" / video).is_dir()


def test_one_unseen_class_is_enough() -> None:
    layout = layout_of(PLAN._replace(unseen=1, counts=(1, 1, 1, 1, 1)))
    scene = layout.scene(3)
    rows = layout.truth(3, scene)["expressions"]
    assert {scene.objects[row["fid"]].class_index for row in rows} == {len(CLASSES) - 1}
