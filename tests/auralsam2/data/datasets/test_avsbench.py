"""Both releases of AVSBench: V1M, its other subsets, S4 and MS3."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from auralsam2.data.audio import log_mel_examples, read_waveform
from auralsam2.data.datasets.avsbench import AVSBenchDataset, AVSBenchObjectDataset
from auralsam2.data.problems import DataError
from auralsam2.registry import DATASETS

from ..trees import log_mels, paint

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
    paint(folder / "3.png", (128, 0, 0), (0, 0, 64), (255, 255, 255))
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
        paint(path, (0, 0, 4), (255, 255, 255), (128, 0, 0))  # blue 4 is too dark for luminance

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


@pytest.mark.parametrize(
    ("subset", "split", "num_labels", "source"),
    [
        ("v1s", "train", 1, "avsbench-object/s4"),
        ("v1s", "test", 5, "avsbench-object/s4"),
        ("v1m", "train", 5, "avsbench-object/ms3"),
    ],
)
def test_an_item_is_that_of_every_reader(
    object_root: Path, subset: str, split: str, num_labels: int, source: str
) -> None:
    dataset = AVSBenchObjectDataset(str(object_root), subset, split, image_size=16)
    item = dataset[0]
    assert len(dataset) == 1 and dataset.label_source == source
    assert item["frames"].shape == (5, 3, 16, 16)
    assert item["frames"].float().mean(dim=(1, 2, 3)).tolist() == [20, 40, 60, 80, 100]
    assert item["native_masks"].shape == (5, 24, 32)
    rows = torch.zeros(5, 24)
    rows[:num_labels, 4:12] = 1
    assert torch.equal(item["native_masks"].float().mean(2), rows)
    assert item["supervised"].tolist() == [t < num_labels for t in range(5)]
    assert torch.equal(item["log_mel"][:, 0], item["log_mel"][:, 1])
    assert np.array_equal(item["log_mel"][:, :1].numpy(), log_mels())


def test_wav_gives_both_ears(object_root: Path) -> None:
    item = AVSBenchObjectDataset(str(object_root), image_size=16, audio="wav")[0]
    path = object_root / "ms3_data" / "audio_wav" / "train" / "many_1.wav"
    assert np.array_equal(item["log_mel"].numpy(), log_mel_examples(*read_waveform(path), 5))
    assert not torch.equal(item["log_mel"][:, 0], item["log_mel"][:, 1])


def test_sound_and_its_files_are_part_of_the_fingerprint(
    object_root: Path, put_log_mel: Callable[[object], Path]
) -> None:
    def prints() -> list[str]:
        sounds = ("log_mel", "wav")
        return [AVSBenchObjectDataset(str(object_root), audio=a).fingerprint() for a in sounds]

    before = prints()
    put_log_mel(log_mels(seed=1))
    assert before[0] != before[1] == prints()[1] and prints()[0] != before[0]


def test_another_sound_can_be_swapped_in(object_root: Path) -> None:
    index = object_root / "ms3_meta_data.csv"
    index.write_text(index.read_text().replace(",val", ",train"))
    for folder in ("gt_masks", "audio_log_mel"):
        base = object_root / "ms3_data" / folder
        for path in list((base / "val").iterdir()):
            path.rename(base / "train" / path.name)
    swapped = DATASETS.build(
        dict(type="AudioSwapped", dataset=dict(type="AVSBenchObjectDataset")),
        root=str(object_root),
        image_size=16,
    )
    assert swapped.partners == [1, 0] and swapped.label_source == "avsbench-object/ms3"


@pytest.mark.parametrize(("subset", "split"), [("v1s", "test"), ("v1m", "val")])
def test_labels_lie_where_predictions_would(object_root: Path, subset: str, split: str) -> None:
    dataset = AVSBenchObjectDataset(str(object_root), subset, split, image_size=32)
    folder = object_root / dataset.label_folder(0)
    assert {path.parent for path in dataset.files[0].labels} == {folder}
    shutil.rmtree(folder)
    with pytest.raises(DataError, match="gt_masks"):
        AVSBenchObjectDataset(str(object_root), subset, split, image_size=32)
    bare = AVSBenchObjectDataset(str(object_root), subset, split, image_size=32, labelled=False)
    assert bare[0]["native_masks"].shape == (5, 24, 32) and not bare[0]["native_masks"].any()
    assert bare.label_folder(0) == dataset.label_folder(0)
