from __future__ import annotations

from pathlib import Path

import pytest
import torch

from auralsam2.data.collate import collate_clips
from auralsam2.data.datasets.partner_audio import AudioSwapped
from auralsam2.data.datasets.ref_avs import RefAVSDataset
from auralsam2.registry import DATASETS

MOVES = [dict(type="RandomClipAffine"), dict(type="RandomClipFlip")]


def test_an_item_has_the_expression_and_its_objects_masks(ref_root: Path) -> None:
    dataset = RefAVSDataset(str(ref_root), image_size=48)
    assert len(dataset) == 4 and dataset.clips[2] == "vidA_0_10000_cat_1"
    dog, other_dog, cat, null = dataset
    assert dog["text"] == "The dog, heard first." and cat["clip"] == "vidA_0_10000_cat_1"
    assert dog["frames"].shape == (3, 3, 48, 48) and dog["log_mel"].shape == (3, 2, 96, 64)
    assert dog["native_masks"].shape == (3, 24, 32) and dog["supervised"].all()
    # fid_1 begins in row 1, fid_2 in row 2; both end with row 11.
    assert int(dog["native_masks"].sum()) == 3 * 11 * 32
    assert int(cat["native_masks"].sum()) == 3 * 10 * 32
    assert torch.equal(dog["masks"], other_dog["masks"])
    assert null["text"] == "The sounding object" and null["supervised"].all()
    assert null["native_masks"].shape == (3, 24, 32) and not null["masks"].any()


@pytest.mark.parametrize("transforms", [[], MOVES], ids=["plain", "moved"])
def test_expressions_of_one_video_share_its_frames(ref_root: Path, transforms: list) -> None:
    dataset = RefAVSDataset(str(ref_root), image_size=16, transforms=transforms)
    dog, other_dog, cat, null = dataset
    assert dog["log_mel"] is other_dog["log_mel"] is cat["log_mel"] is not null["log_mel"]
    # Two videos, and three sets of masks.
    assert len(dataset._kept) == 5
    if transforms:
        assert not torch.equal(dog["masks"], other_dog["masks"])  # each has a draw of its own
        assert not null["masks"].any()
    else:
        assert dog["frames"] is cat["frames"] and dog["masks"] is other_dog["masks"]


def test_text_stays_a_list_in_a_batch(ref_root: Path) -> None:
    dataset = RefAVSDataset(str(ref_root), image_size=16)
    batch = collate_clips([dataset[0], dataset[2]])
    assert batch["text"] == ["The dog, heard first.", "The silent cat."]
    assert batch["clip"] == ["vidA_0_10000_dog_1", "vidA_0_10000_cat_1"]
    assert batch["frames"].shape == (2, 3, 3, 16, 16)


def test_the_fingerprint_knows_words_and_objects(ref_root: Path) -> None:
    def fingerprint(split: str = "train") -> str:
        node = dict(type="RefAVSDataset", split=split)
        return DATASETS.build(node, root=str(ref_root), image_size=16).fingerprint()

    before, unseen = fingerprint(), fingerprint("test_s")
    path = ref_root / "metadata.csv"
    path.write_text(path.read_text().replace("The silent cat.", "The cat."))
    assert fingerprint() != before and fingerprint("test_s") == unseen != before


def test_swapped_sound_comes_from_another_video(ref_root: Path) -> None:
    swapped = AudioSwapped(dict(type="RefAVSDataset"), root=str(ref_root), image_size=16)
    assert swapped.partners[:3] == [3, 3, 3] and swapped.partners[3] in (0, 1, 2)
    assert swapped[0]["text"] == "The dog, heard first."


def test_photographs_with_expressions_load(photographs: Path) -> None:
    counts = {}
    for split in ("train", "val", "test_s", "test_u", "test_n"):
        dataset = RefAVSDataset(str(photographs / "REFAVS"), split, image_size=16)
        counts[split] = len(dataset)
        item = dataset[len(dataset) - 1]
        assert item["frames"].shape == (10, 3, 16, 16) and item["log_mel"].shape[:2] == (10, 2)
        assert item["text"] and item["supervised"].all()
        assert bool(item["native_masks"].any()) == (split != "test_n")
    assert counts == {"train": 20, "val": 6, "test_s": 14, "test_u": 9, "test_n": 8}
