"""Names of sources as numbers, around a reader of AVSBench."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest

from auralsam2.data.datasets.partner_audio import AudioSwapped
from auralsam2.data.datasets.wrapped import NamedSources, PaddedClips
from auralsam2.data.problems import DataError
from auralsam2.data.synthetic.objects import CLASSES

from .conftest import NODE

NAMES = [kind.name for kind in CLASSES]


def build(root: Path, **changes: Any) -> NamedSources:
    settings = {"dataset": NODE, "classes": NAMES, **changes}
    return NamedSources(root=str(root), image_size=32, **settings)


def test_items_say_what_the_index_says(root: Path) -> None:
    data = build(root)
    truth = {c["uid"]: c for c in json.loads((root / "synthetic.json").read_text())["clips"]}
    assert len(data) == 6 and data.clips == [f.uid for f in data.files]
    for item in (data[i] for i in range(6)):
        named = {NAMES[i] for i in item["sources"].nonzero().flatten().tolist()}
        assert named == set(truth[item["clip"]]["a_obj"].split("_")) - {"background"}
        assert {"frames", "masks", "log_mel"} <= set(item)
    assert "sources" not in data.dataset[0], "what is wrapped is left as it was"


def test_the_order_of_the_classes_is_the_callers(root: Path) -> None:
    plain, turned = build(root), build(root, classes=NAMES[::-1])
    assert plain[0]["sources"].tolist() == turned[0]["sources"].tolist()[::-1]


def test_the_names_are_part_of_the_data_and_reading_them_is_not(root: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(root, tmp_path / "clips"))
    data = build(root)
    before = data.fingerprint()
    assert before == data.dataset.fingerprint()
    name = sorted(data.files[0].sources)[0]
    other = next(n for n in NAMES if n not in data.files[0].sources)
    index = root / "avss_index" / "metadata.csv"
    index.write_text(index.read_text().replace(name, other))
    assert build(root).fingerprint() != before


def test_it_stands_in_for_the_data_set_inside(root: Path) -> None:
    node = {**NODE, "transforms": [dict(type="RandomClipFlip", prob=0.5)]}
    same, other = (build(root, dataset=node, seed=seed).dataset.augmentation for seed in (0, 7))
    assert (same.seed, other.seed) == (0, 7)
    data = build(root, dataset=node)
    data.set_epoch(3)
    again = pickle.loads(pickle.dumps(data))
    assert again.label_source == "avsbench-semantic/v1m" and len(again) == 6


def test_sources_that_are_no_class_are_all_named(root: Path) -> None:
    named = sorted({source for clip in build(root).files for source in clip.sources})
    typo = named[0].replace("-", "_")
    classes = [typo, *(n for n in NAMES if n not in named[:2])]
    with pytest.raises(DataError, match="none of the 11 classes") as caught:
        build(root, classes=classes)
    assert f"'{named[0]}' ('{typo}'?)" in str(caught.value) and f"'{named[1]}'" in str(caught.value)
    assert "model.num_classes" in str(caught.value)


def test_without_classes_those_of_the_release_are_taken(root: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="label2idx.json.*name them there instead"):
        build(root, classes=None)
    (tmp_path / "avss_index").symlink_to(root / "avss_index")
    (tmp_path / "v1m").symlink_to(root / "v1m")
    numbers = {"background": 0, **{name: i for i, name in enumerate(NAMES, start=1)}}
    (tmp_path / "label2idx.json").write_text(json.dumps(numbers))
    assert (
        build(tmp_path, classes=None)[0]["sources"].tolist() == build(root)[0]["sources"].tolist()
    )


@pytest.mark.parametrize("classes", [[], ["a", "a"]])
def test_classes_must_be_names_each_once(root: Path, classes: list[str]) -> None:
    with pytest.raises(ValueError, match="each once"):
        build(root, classes=classes)


def test_clips_are_filled_up_by_frames_that_do_not_count(root: Path) -> None:
    data = PaddedClips(NODE, root=str(root), num_frames=5, image_size=32)
    item, own = data[1], data.dataset[1]
    assert item["padded"].tolist() == [False, False, False, True, True]
    assert item["supervised"].tolist() == [True, True, True, False, False]
    for key in ("frames", "log_mel", "masks", "native_masks"):
        assert item[key].shape == (5, *own[key].shape[1:])
        assert item[key][:3].equal(own[key]) and not item[key][3:].any()
    assert data.clips == data.dataset.clips and data.fingerprint() == data.dataset.fingerprint()
    swapped = AudioSwapped(data, root=str(root))
    for i, partner in enumerate(swapped.partners):
        assert swapped[i]["log_mel"].equal(data[partner]["log_mel"]), "at this length"
    short = PaddedClips(NODE, root=str(root), num_frames=2, image_size=32)
    with pytest.raises(ValueError, match="has 3 frames and is to be filled up to 2; set num_fra"):
        short[0]
