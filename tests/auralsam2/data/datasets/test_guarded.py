from __future__ import annotations

import copy
import os
import pickle
from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader

from auralsam2.data.collate import collate_clips
from auralsam2.data.datasets.avsbench import AVSBenchDataset
from auralsam2.data.datasets.guarded import MACHINE, CorruptClip, Guarded, counted
from auralsam2.data.datasets.partner_audio import AudioSwapped
from auralsam2.data.problems import DataError

CLIPS = [f"clip0000{i}_s5" for i in range(3)]
WORKERS = pytest.mark.parametrize("num_workers", [0, 2])
PARTS = pytest.mark.parametrize("part", ["frames/2.jpg", "labels_rgb/2.png", "audio.wav"])


def damage(root: Path, clip: str, part: str = "frames/2.jpg") -> Path:
    path = root / "v1m" / clip / part
    path.write_bytes(path.read_bytes()[:30])
    return path


def guarded(root: Path, on_corrupt: str, training: bool = True, **settings: object) -> Guarded:
    dataset = AVSBenchDataset(str(root), image_size=16, **settings)
    return Guarded(dataset, on_corrupt, training)


def batches(dataset: Guarded, num_workers: int, batch_size: int = 1) -> list[dict]:
    loader = DataLoader(dataset, batch_size, num_workers=num_workers, collate_fn=collate_clips)
    iterator = iter(loader)
    try:
        return list(iterator)
    finally:
        if num_workers:  # left to the collector after an error, they take ten seconds to end
            iterator._shutdown_workers()


@pytest.mark.parametrize("on_corrupt", ["stop", "skip"])
@pytest.mark.parametrize("training", [True, False])
def test_healthy_clips_are_as_without_a_guard(
    tiny_root: Path, on_corrupt: str, training: bool
) -> None:
    dataset = guarded(tiny_root, on_corrupt, training)
    plain = dataset.dataset
    assert (len(dataset), dataset.clips, dataset.left_out) == (3, CLIPS, [])
    assert dataset.fingerprint() == plain.fingerprint()
    assert dataset.label_source == "avsbench-semantic/v1m"
    for index in (0, 2, -1):
        item, other = dataset[index], plain[index]
        assert item.keys() == other.keys() and item["clip"] == other["clip"]
        assert torch.equal(item["frames"], other["frames"])
    with pytest.raises(IndexError):
        dataset[3]


@WORKERS
@PARTS
def test_stop_names_clip_and_file(own_root: Path, num_workers: int, part: str) -> None:
    path = damage(own_root, CLIPS[1], part)
    with pytest.raises(DataError) as caught:
        batches(guarded(own_root, "stop"), num_workers)
    message = str(caught.value)
    assert f"clip '{CLIPS[1]}'" in message and str(path) in message
    assert "data.on_corrupt='skip'" in message


@WORKERS
@PARTS
def test_training_takes_the_next_clip_and_tells(
    own_root: Path, num_workers: int, part: str
) -> None:
    path = damage(own_root, CLIPS[1], part)
    read = batches(guarded(own_root, "skip"), num_workers)
    assert [batch["clip"][0] for batch in read] == [CLIPS[0], CLIPS[2], CLIPS[2]]
    assert ["skipped" in batch for batch in read] == [False, True, False]
    (corrupt,) = read[1]["skipped"]
    assert corrupt.clip == CLIPS[1] and str(path) in corrupt.reason


def test_the_first_clip_follows_the_last(own_root: Path) -> None:
    for clip in CLIPS[1:]:
        damage(own_root, clip)
    (batch,) = batches(guarded(own_root, "skip"), 0, batch_size=3)
    assert batch["clip"] == [CLIPS[0]] * 3
    assert [c.clip for c in batch["skipped"]] == [CLIPS[1], CLIPS[2], CLIPS[2]]


@WORKERS
def test_evaluation_leaves_corrupt_clips_out(own_root: Path, num_workers: int) -> None:
    path = damage(own_root, CLIPS[1], "audio.wav")
    dataset = guarded(own_root, "skip", training=False)
    dataset.num_workers = num_workers
    assert len(dataset) == 2 and dataset.clips == [CLIPS[0], CLIPS[2]]
    (corrupt,) = dataset.left_out
    assert isinstance(corrupt, CorruptClip) and corrupt.clip == CLIPS[1]
    assert str(path) in corrupt.reason
    read = batches(dataset, num_workers)
    assert [batch["clip"] for batch in read] == [[CLIPS[0]], [CLIPS[2]]]
    assert not any("skipped" in batch for batch in read)


def test_a_file_that_breaks_later_stops_the_evaluation(own_root: Path) -> None:
    dataset = guarded(own_root, "skip", training=False, cache=False)
    assert dataset.left_out == []
    damage(own_root, CLIPS[0])
    with pytest.raises(DataError, match=CLIPS[0]):
        dataset[0]


@pytest.mark.parametrize("training", [True, False])
def test_nothing_but_corrupt_clips_is_an_error(own_root: Path, training: bool) -> None:
    for clip in CLIPS:
        damage(own_root, clip)
    with pytest.raises(DataError, match="can be read: clip 'clip0000"):
        guarded(own_root, "skip", training)[0]


def test_bugs_are_never_skipped(tiny_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = guarded(tiny_root, "skip")

    def fail(*_: object) -> None:
        raise TypeError("a bug")

    monkeypatch.setattr(dataset.dataset, "_media", fail)
    with pytest.raises(TypeError, match="a bug"):
        dataset[0]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("code", sorted(MACHINE))
def test_what_the_machine_lacks_is_no_fault_of_a_clip(
    tiny_root: Path, monkeypatch: pytest.MonkeyPatch, training: bool, code: int
) -> None:
    dataset = guarded(tiny_root, "skip", training)

    def fail(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(dataset.dataset, "_media", fail)
    with pytest.raises(OSError, match=os.strerror(code)):
        dataset[0]


def test_what_is_left_out_is_told_once_with_its_split(
    own_root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = damage(own_root, CLIPS[1], "audio.wav")
    inner = AVSBenchDataset(str(own_root), image_size=16)
    dataset = Guarded(inner, "skip", split_name="test")
    assert [len(dataset), len(dataset), len(dataset.left_out)] == [2, 2, 1]
    (record,) = caplog.records
    told = record.getMessage()
    assert told.startswith("test: 1 of 3 clips cannot be read and are left out, scores are means")
    assert CLIPS[1] in told and str(path) in told
    assert [counted(2, 1), counted(3, 0), counted(1, 0)] == ["2 of 3 clips", "3 clips", "1 clip"]


def test_a_partner_that_cannot_be_heard_is_named(own_root: Path) -> None:
    index = own_root / "avss_index" / "metadata.csv"
    header, *rows = index.read_text().splitlines()
    cells = [row.split(",") for row in rows]
    rows = [",".join([*cell[:4], f"thing{i}", *cell[5:]]) for i, cell in enumerate(cells)]
    index.write_text("\n".join([header, *rows]) + "\n")
    swapped = AudioSwapped(dict(type="AVSBenchDataset"), str(own_root), image_size=16)
    silent = min(swapped.partners, key=swapped.partners.count)  # heard in one clip, not in two
    path = damage(own_root, swapped.clips[silent], "audio.wav")
    dataset = Guarded(swapped, "skip")
    left_out = {silent, swapped.partners.index(silent)}
    assert [corrupt.clip for corrupt in dataset.left_out] == [CLIPS[i] for i in sorted(left_out)]
    assert all(str(path) in corrupt.reason for corrupt in dataset.left_out)


def test_the_epoch_reaches_the_clips_and_the_guard_travels(tiny_root: Path) -> None:
    dataset = guarded(tiny_root, "skip", transforms=[dict(type="RandomClipFlip")])
    dataset.set_epoch(4)
    assert dataset.dataset.augmentation.epoch == 4
    assert pickle.loads(pickle.dumps(dataset)).clips == CLIPS
    assert copy.deepcopy({"dataset": dataset})["dataset"] is dataset  # as mmengine copies it
    with pytest.raises(AttributeError):
        _ = dataset.nothing


def test_unknown_settings_tell_the_known_ones(tiny_root: Path) -> None:
    with pytest.raises(ValueError, match="'ignore'; known: stop, skip"):
        guarded(tiny_root, "ignore")
