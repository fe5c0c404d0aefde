"""Frames that are kept are those that are decoded, whatever happens to files and folder."""

from __future__ import annotations

import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
import torch

from auralsam2.data import kept_frames
from auralsam2.data.datasets import clip_dataset
from auralsam2.data.datasets.avsbench import AVSBenchDataset
from auralsam2.data.datasets.counterfactual import AudioSilence
from auralsam2.data.datasets.wrapped import PaddedClips

from .trees import same_item

FLIP = [dict(type="RandomClipFlip")]
SIDE = 24


@pytest.fixture(autouse=True)
def _old_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_frames, "YOUNG", -(10**12))


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Files of frames that are decoded from now on."""
    paths: list[Path] = []
    read = clip_dataset.read_image
    monkeypatch.setattr(clip_dataset, "read_image", lambda p: (paths.append(p), read(p))[1])
    return paths


def items(root: Path, folder: Path | None, **settings: Any) -> list[dict[str, Any]]:
    keep = None if folder is None else str(folder)
    given = dict(split="train", image_size=SIDE, cache=False, keep_decoded=keep)
    dataset = AVSBenchDataset(str(root), **{**given, **settings})
    return [dataset[i] for i in range(len(dataset))]


def same(ones: list[dict[str, Any]], others: list[dict[str, Any]]) -> bool:
    return len(ones) == len(others) and all(map(same_item, ones, others))


@pytest.mark.parametrize("transforms", [[], FLIP])
@pytest.mark.parametrize("how", ["bilinear", "bicubic"])
def test_items_are_equal_and_frames_decoded_once(
    tiny_root: Path, tmp_path: Path, decoded: list[Path], how: str, transforms: Any
) -> None:
    settings = dict(transforms=transforms, frame_interpolation=how)
    plain = items(tiny_root, None, **settings)
    decoded.clear()
    assert same(items(tiny_root, tmp_path, **settings), plain)
    assert len(decoded) == 15
    assert same(items(tiny_root, tmp_path, **settings), plain)
    assert len(decoded) == 15
    # In their own size, before transforms, they are of use at any other one.
    other = 16
    assert same(
        items(tiny_root, tmp_path, **settings, image_size=other),
        items(tiny_root, None, **settings, image_size=other),
    )
    assert len(decoded) == (30 if transforms else 45)


def test_whoever_writes_to_an_item_changes_no_file(tiny_root: Path, tmp_path: Path) -> None:
    first = items(tiny_root, tmp_path)
    for item in items(tiny_root, tmp_path):
        item["frames"].fill_(7)
    assert same(items(tiny_root, tmp_path), first)


def test_a_changed_frame_is_decoded_again(own_root: Path, tmp_path: Path) -> None:
    first = items(own_root, tmp_path / "kept")
    frame = next(own_root.glob(f"v1m/{first[0]['clip']}/frames/0.jpg"))
    shutil.copy2(frame.with_name("1.jpg"), frame)  # with the time of the other
    second = items(own_root, tmp_path / "kept")
    assert torch.equal(second[0]["frames"][0], first[0]["frames"][1])
    assert same(second, items(own_root, None))


@pytest.mark.parametrize("library", ["cv2", "PIL"])
def test_another_version_of_a_library_decodes_again(
    tiny_root: Path,
    tmp_path: Path,
    decoded: list[Path],
    monkeypatch: pytest.MonkeyPatch,
    library: str,
) -> None:
    first = items(tiny_root, tmp_path)
    monkeypatch.setattr(f"{library}.__version__", "0.1")
    assert same(items(tiny_root, tmp_path), first)
    assert len(decoded) == 30


@pytest.mark.parametrize("damage", ["longer", "foreign", "folder", "shape"])
def test_damaged_entries_are_made_anew(
    tiny_root: Path, tmp_path: Path, decoded: list[Path], damage: str
) -> None:
    first = items(tiny_root, tmp_path)
    for entry in tmp_path.rglob("*.frames"):
        content = entry.read_bytes()
        entry.unlink()
        if damage == "folder":
            entry.mkdir()
            continue
        damaged = {
            "longer": content + b"\0",
            "foreign": b"\x93NUMPY" * 99,
            "shape": content[:19] + b"\xff" * 48 + content[67:],
        }
        entry.write_bytes(damaged[damage])
    decoded.clear()
    assert same(items(tiny_root, tmp_path), first)
    assert len(decoded) == 15
    assert same(items(tiny_root, tmp_path), first)
    assert len(decoded) == (30 if damage == "folder" else 15)


def test_frames_that_may_still_change_are_not_kept(
    tiny_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_frames, "YOUNG", 10**15)
    items(tiny_root, tmp_path)
    assert list(tmp_path.rglob("*.frames")) == []


def test_a_disk_that_is_too_small_is_refused(
    tiny_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = 15 * 3 * SIDE**2
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(kept_frames.shutil, "disk_usage", lambda _: usage(wanted - 1))
    with pytest.raises(ValueError, match=r"has 0\.0 GB free, and the frames of v1m/train \(3 clip"):
        items(tiny_root, tmp_path / "not" / "yet")
    monkeypatch.setattr(kept_frames.shutil, "disk_usage", lambda _: usage(wanted))
    items(tiny_root, tmp_path)
    monkeypatch.setattr(kept_frames.shutil, "disk_usage", lambda _: usage(0))
    items(tiny_root, tmp_path)  # all of them are there


def test_wrappers_and_controls_hand_the_folder_on(tiny_root: Path, tmp_path: Path) -> None:
    node = dict(type="AVSBenchDataset", split="test")
    given = dict(root=str(tiny_root), image_size=SIDE, keep_decoded=str(tmp_path))
    padded = PaddedClips({"type": "WithWaveform", "dataset": node}, **given)
    silent = AudioSilence(node, **given)
    folders = {padded.kept_frames.folder, silent.dataset.kept_frames.folder}
    assert folders == {tmp_path} and torch.equal(padded[0]["frames"][:5], silent[0]["frames"])
