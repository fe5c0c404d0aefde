"""AVSBench's object release: every planted fault is named once, and nothing else is."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from auralsam2.data.checking.check import check_data

from ..trees import write_noise
from .conftest import add_rows, empty, write_picture


@pytest.mark.parametrize(("layout", "subset"), [("s4", "v1s"), ("ms3", "v1m")])
def test_a_healthy_tree_has_right_counts(
    object_root: Path, places: Callable, layout: str, subset: str
) -> None:
    report = check_data(layout, object_root)
    assert report.healthy and places(report) == {}
    assert report.counts == {f"object/{subset}/test": 8}
    summary = report.summary
    assert (summary["clips"], summary["frames"], summary["labels"]) == (8, 24, 24)


def test_recordings_alone_are_enough(object_root: Path, places: Callable) -> None:
    shutil.rmtree(object_root / "ms3_data" / "audio_log_mel")
    assert places(check_data("ms3", object_root)) == {}
    shutil.rmtree(object_root / "ms3_data" / "audio_wav")
    assert list(places(check_data("ms3", object_root))) == ["missing_audio"]


@pytest.mark.parametrize(("layout", "below"), [("s4", "test/dog"), ("ms3", "test")])
def test_every_fault_is_named_once_and_none_invented(
    object_root: Path, places: Callable, layout: str, below: str
) -> None:
    data = object_root / f"{layout}_data"
    uid = [f"clip{number}_0_3000" for number in range(8)]
    shown = data / "visual_frames" / (below if layout == "s4" else "")
    masks, wavs = data / "gt_masks" / below, data / "audio_wav" / below
    shutil.rmtree(shown / uid[0])
    shutil.rmtree(masks / uid[0])
    for folder in (masks, shown):
        (folder / "stranger").mkdir()
    empty(shown / uid[1], "*")
    shutil.rmtree(masks / uid[2])
    (wavs / f"{uid[3]}.wav").unlink()
    (masks / uid[4] / f"{uid[4]}_3.png").unlink()
    (data / "audio_log_mel" / below / f"{uid[5]}.pkl").write_bytes(pickle.dumps("log-mel"))
    write_noise(wavs / f"{uid[6]}.wav", 1)
    write_picture(masks / uid[7] / f"{uid[7]}_1.png", corner=7)
    category = "dog," if layout == "s4" else ""
    add_rows(object_root / f"{layout}_meta_data.csv", f"{uid[7]},{category}test")
    report = check_data(layout, object_root)

    def place(path: Path) -> str:
        return path.relative_to(object_root).as_posix()

    assert places(report) == {
        "duplicate_row": [uid[7]],
        "row_without_folder": [f"{layout}_data/gt_masks/{below}/{uid[0]}"],
        "folder_without_row": [f"gt_masks/{below}/stranger"],
        "missing_frames": [place(shown / uid[1])],
        "missing_labels": [place(masks / uid[2])],
        "missing_audio": [place(wavs / f"{uid[3]}.wav")],
        "frame_without_label": [place(shown / uid[4] / f"{uid[4]}_3.png")],
        "unreadable_log_mel": [f"{layout}_data/audio_log_mel/{below}/{uid[5]}.pkl"],
        "short_audio": [f"{layout}_data/audio_wav/{below}/{uid[6]}.wav"],
        "unknown_label_value": [f"{layout}_data/gt_masks/{below}/{uid[7]}/{uid[7]}_1.png"],
    }


def test_a_clip_in_two_splits_is_read_once(object_root: Path, places: Callable) -> None:
    add_rows(object_root / "ms3_meta_data.csv", "clip0_0_3000,train", "clip1_0_3000,tset")
    assert places(check_data("ms3", object_root)) == {
        "unknown_split": ["clip1_0_3000"],
        "duplicate_across_splits": ["clip0_0_3000"],
        # What the reader of this split would miss, whichever sound it is to hear.
        "missing_labels": ["ms3_data/gt_masks/train/clip0_0_3000"],
        "missing_audio": [
            "ms3_data/audio_log_mel/train/clip0_0_3000.pkl",
            "ms3_data/audio_wav/train/clip0_0_3000.wav",
        ],
    }
