"""Transforms, resizing and the cache, which all readers share."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from auralsam2 import kept_digests
from auralsam2.data.collate import collate_clips
from auralsam2.data.datasets.avsbench import AVSBenchDataset
from auralsam2.data.datasets.partner_audio import AudioSwapped
from auralsam2.data.problems import DataError
from auralsam2.registry import DATASETS

from ..trees import same_item

TRANSFORMS = [
    dict(type="RandomClipFlip"),
    dict(type="RandomClipAffine", fill=(0, 0, 0)),
    dict(type="ClipColourJitter"),
    dict(type="RandomClipGrey"),
]
MOVES = TRANSFORMS[:2]


@pytest.fixture
def drawn_root(own_root: Path) -> str:
    """Clips whose frames show their masks: white on black, without JPEG's loss."""
    for path in own_root.glob("v1m/*/labels_rgb/*.png"):
        label = (cv2.imread(str(path)).max(axis=2) > 0).astype(np.uint8) * 255
        frame = path.parents[1] / "frames" / f"{path.stem}.jpg"
        # OpenCV knows pictures by their content, not by their name.
        frame.write_bytes(cv2.imencode(".png", cv2.merge([label] * 3))[1].tobytes())
    return str(own_root)


def test_transformed_masks_fit_the_transformed_frames(drawn_root: str) -> None:
    plain = AVSBenchDataset(drawn_root, split="test", image_size=40)
    dataset = AVSBenchDataset(drawn_root, split="test", image_size=40, transforms=MOVES)
    moved = 0
    for index in range(len(dataset)):
        item, original = dataset[index], plain[index]
        assert item.keys() == original.keys()
        wrong = (item["frames"][:, 0] >= 128) != (item["masks"] > 0)
        assert wrong.float().mean() < 0.02
        moved += not torch.equal(item["masks"], original["masks"])
        for key in ("log_mel", "supervised"):
            assert torch.equal(item[key], original[key])
        assert torch.equal(item["native_masks"], item["masks"])  # 40 px both
    assert moved == len(dataset)


@pytest.mark.parametrize("num_workers", [0, 2])
def test_items_hang_on_seed_epoch_and_clip_alone(tiny_root: Path, num_workers: int) -> None:
    def dataset(**settings: object) -> AVSBenchDataset:
        return AVSBenchDataset(str(tiny_root), image_size=16, transforms=TRANSFORMS, **settings)

    shown = dataset()
    loader = DataLoader(
        shown,
        num_workers=num_workers,
        persistent_workers=num_workers > 0,
        shuffle=True,
        collate_fn=collate_clips,
    )
    for epoch in range(2):
        shown.set_epoch(epoch)
        batches = {batch["clip"][0]: batch["frames"][0] for batch in loader}
        fresh = dataset(cache=False)
        fresh.set_epoch(epoch)
        assert all(torch.equal(fresh[i]["frames"], batches[fresh[i]["clip"]]) for i in range(3))
    assert not same_item(dataset()[0], shown[0])
    assert not same_item(dataset()[0], dataset(seed=1)[0])


@pytest.mark.parametrize("transforms", [[], TRANSFORMS])
def test_the_cache_keeps_what_is_decoded_and_transforms_it_anew(
    tiny_root: Path, transforms: list
) -> None:
    kept, fresh = (
        AVSBenchDataset(str(tiny_root), image_size=32, cache=c, transforms=transforms)
        for c in (True, False)
    )
    for epoch in (0, 1, 0):
        kept.set_epoch(epoch)
        fresh.set_epoch(epoch)
        assert same_item(kept[1], fresh[1])
    assert kept[0] and fresh[0]  # media and truth of two clips, or of the last one
    assert (len(kept._kept), len(fresh._kept)) == (4, 2)


def test_released_resizing_is_bicubic_and_dilates(tiny_root: Path) -> None:
    plain = AVSBenchDataset(str(tiny_root), split="test", image_size=160)
    sharp = AVSBenchDataset(
        str(tiny_root), split="test", image_size=160, frame_interpolation="bicubic"
    )
    wide = AVSBenchDataset(
        str(tiny_root), split="test", image_size=160, mask_interpolation="bilinear"
    )
    for i in range(len(plain)):
        one, other, grown = plain[i], sharp[i], wide[i]
        assert torch.equal(one["masks"], other["masks"])
        difference = (one["frames"].float() - other["frames"].float()).abs()
        assert 0 < difference.mean() < 4
        assert (grown["masks"] >= one["masks"]).all()
        assert torch.equal(grown["native_masks"], one["native_masks"])
        assert set(grown["masks"].unique().tolist()) <= {0, 1}
        assert grown["masks"].sum() > one["masks"].sum() or not one["masks"].any()


def test_labels_of_another_size_are_brought_to_the_frames(own_root: Path) -> None:
    folder = own_root / "v1m" / "clip00000_s5" / "labels_rgb"
    for path in folder.glob("*.png"):
        cv2.imwrite(str(path), np.full((80, 60, 3), 255, np.uint8))
    settings = dict(root=str(own_root), image_size=16)
    assert AVSBenchDataset(**settings)[0]["native_masks"].shape == (5, 80, 60)
    item = AVSBenchDataset(**settings, transforms=MOVES)[0]
    assert item["native_masks"].shape == (5, 40, 40)


def test_frames_of_one_clip_have_one_size_to_be_transformed(own_root: Path) -> None:
    path = own_root / "v1m" / "clip00000_s5" / "frames" / "2.jpg"
    cv2.imwrite(str(path), np.zeros((20, 40, 3), np.uint8))
    assert len(AVSBenchDataset(str(own_root), image_size=16)[0]["frames"]) == 5
    with pytest.raises(DataError, match="frames of clip 'clip00000_s5' differ in size"):
        AVSBenchDataset(str(own_root), image_size=16, transforms=MOVES)[0]


def test_the_fingerprint_is_that_of_the_files_not_of_the_transforms(tiny_root: Path) -> None:
    plain, moved = (
        AVSBenchDataset(str(tiny_root), image_size=16, transforms=t) for t in ([], MOVES)
    )
    assert plain.fingerprint() == moved.fingerprint()


def test_a_wrapper_passes_the_epoch_on(ref_root: Path) -> None:
    node = dict(type="RefAVSDataset", transforms=MOVES)
    swapped = AudioSwapped(node, root=str(ref_root), image_size=16)
    swapped.set_epoch(3)
    assert swapped.dataset.augmentation.epoch == 3


def test_indices_end_where_clips_do(tiny_root: Path) -> None:
    dataset = AVSBenchDataset(str(tiny_root), image_size=16)
    assert same_item(dataset[-1], dataset[2]) and len(list(dataset)) == 3
    for index in (3, -4):
        with pytest.raises(IndexError, match="of 3"):
            dataset[index]


def test_the_fingerprint_is_the_same_with_and_without_kept_digests(
    own_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []
    content = kept_digests._content
    monkeypatch.setattr(kept_digests, "_content", lambda p: (read.append(p), content(p))[1])
    monkeypatch.setattr(kept_digests, "YOUNG", -(10**12))  # the clips are some moments old

    def fingerprint() -> str:
        return AVSBenchDataset(str(own_root), split="train").fingerprint()

    first, num_files = fingerprint(), len(read)
    assert num_files == 3 * 11 and fingerprint() == first and len(read) == num_files
    shutil.rmtree(own_root / kept_digests.FOLDER)
    assert fingerprint() == first and len(read) == 2 * num_files
    label = next(own_root.glob("v1m/*/labels_rgb/0.png"))
    shutil.copyfile(label.with_name("1.png"), label)
    second = fingerprint()
    assert second != first and len(read) == 2 * num_files + 1
    shutil.rmtree(own_root / kept_digests.FOLDER)
    assert fingerprint() == second


@pytest.mark.parametrize(
    ("reader", "settings", "told"),
    [
        ("AVSBenchDataset", dict(subset=("v1m", "v3")), ["subset=('v1m', 'v3'); known: v1s, v1m"]),
        ("AVSBenchDataset", dict(subset=()), ["subset=(); known: v1s, v1m"]),
        ("AVSBenchDataset", dict(subset=("v2", "v2")), ["state each subset once"]),
        (
            "AVSBenchObjectDataset",
            dict(subset="v2", audio="mp3"),
            ["subset='v2'; known: v1s, v1m", "audio='mp3'; known: log_mel, wav"],
        ),
        ("RefAVSDataset", dict(split="test"), ["split='test'; known: train, val, test_s, test_u"]),
    ],
)
def test_unknown_settings_are_told_together(
    tmp_path: Path, reader: str, settings: dict, told: list[str]
) -> None:
    wrong = dict(label_rule="any", frame_interpolation="nearest", audio_rule="x", channels="left")
    told = told + ["label_rule='any'; known: published, released", "audio_rule='x'; known: publ"]
    told += ["frame_interpolation='nearest'; known: bilinear", "channels='left'; known: both, mean"]
    with pytest.raises(ValueError, match=f"{reader} got unknown frame_") as caught:
        DATASETS.build(dict(type=reader, **settings, **wrong), root=str(tmp_path))
    assert [part for part in told if part not in str(caught.value)] == []
