from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from auralsam2.data.datasets.avsbench import AVSBenchDataset
from auralsam2.data.problems import DataError

CLIP = "clip00000_s5"


def test_an_item_has_the_documented_tensors(tiny_root: Path) -> None:
    dataset = AVSBenchDataset(str(tiny_root), image_size=32)
    assert len(dataset) == 3 and dataset.clips == [f"clip0000{i}_s5" for i in range(3)]
    item = dataset[0]
    shapes = {k: (tuple(v.shape), v.dtype) for k, v in item.items() if k != "clip"}
    assert shapes == {
        "frames": ((5, 3, 32, 32), torch.uint8),
        "log_mel": ((5, 2, 96, 64), torch.float32),
        "masks": ((5, 32, 32), torch.uint8),
        "native_masks": ((5, 40, 40), torch.uint8),
        "supervised": ((5,), torch.bool),
    }
    assert item["clip"] == CLIP and item["supervised"].all()


def test_frames_are_rgb_and_in_order(own_root: Path) -> None:
    folder = own_root / "v1m" / CLIP / "frames"
    for t in range(5):
        image = np.full((40, 40, 3), (10, 40 * t, 200), np.uint8)  # blue, green, red
        cv2.imwrite(str(folder / f"{t}.jpg"), image)
    frames = AVSBenchDataset(str(own_root), image_size=32)[0]["frames"].float().mean(dim=(2, 3))
    expected = torch.tensor([[200.0, 40.0 * t, 10.0] for t in range(5)])
    assert (frames - expected).abs().max() < 5


def test_masks_follow_the_native_ones(tiny_root: Path) -> None:
    dataset = AVSBenchDataset(str(tiny_root), split="test", image_size=80)
    seen = 0
    for i in range(len(dataset)):
        item = dataset[i]
        enlarged = item["native_masks"].repeat_interleave(2, 1).repeat_interleave(2, 2)
        assert torch.equal(item["masks"], enlarged)
        assert set(item["masks"].unique().tolist()) <= {0, 1}
        seen += int(item["masks"].sum())
    assert seen > 0


def test_the_cache_changes_nothing(tiny_root: Path) -> None:
    kept, fresh = (AVSBenchDataset(str(tiny_root), image_size=32, cache=c) for c in (True, False))
    for _ in range(2):
        for key, value in kept[1].items():
            other = fresh[1][key]
            assert torch.equal(value, other) if isinstance(value, torch.Tensor) else value == other
    assert kept[1]["frames"] is kept[1]["frames"]
    first, _ = fresh[1], fresh[0]  # the last one alone is kept
    assert fresh[1]["frames"] is not first["frames"]


def test_a_clip_changed_by_its_user_is_whole_the_next_time(tiny_root: Path) -> None:
    dataset = AVSBenchDataset(str(tiny_root), image_size=32, cache=True)
    dataset[0]["log_mel"] = None
    assert dataset[0]["log_mel"] is not None


def test_the_cache_is_off_where_clips_are_large(tiny_root: Path) -> None:
    assert AVSBenchDataset(str(tiny_root), image_size=64)._keep
    assert not AVSBenchDataset(str(tiny_root), image_size=8192)._keep


def test_the_fingerprint_is_that_of_the_content(own_root: Path, tiny_root: Path) -> None:
    def fingerprint(root: Path = own_root, **settings: str) -> str:
        return AVSBenchDataset(str(root), image_size=32, **settings).fingerprint()

    before = fingerprint()
    assert before == fingerprint() == fingerprint(tiny_root)  # where it lies does not matter
    assert before != fingerprint(split="val")
    wav = own_root / "v1m" / CLIP / "audio.wav"
    content = bytearray(wav.read_bytes())
    content[-1] ^= 1
    wav.write_bytes(content)
    assert fingerprint() != before
    assert fingerprint(split="val") == fingerprint(tiny_root, split="val")


def test_masks_of_one_clip_have_one_size(own_root: Path) -> None:
    label = np.zeros((20, 40, 3), np.uint8)
    cv2.imwrite(str(own_root / "v1m" / CLIP / "labels_rgb" / "4.png"), label)
    with pytest.raises(DataError, match=rf"masks of clip '{CLIP}' differ in size"):
        AVSBenchDataset(str(own_root), image_size=32)[0]
