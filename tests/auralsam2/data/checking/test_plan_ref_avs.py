"""Ref-AVS: every planted fault is named once, and nothing else is."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from auralsam2.data.checking.check import check_data

from ..trees import write_noise
from .conftest import add_rows, cut, empty, write_picture

A, S = "vidA_0_10000", "vidS_0_10000"


def test_a_healthy_tree_has_right_counts(ref_root: Path, places: Callable) -> None:
    report = check_data("ref_avs", ref_root)
    assert report.healthy
    # The placeholder of the public index is told, and no fault.
    assert places(report) == {"stray_row": [f"{A}_dog_9"]}
    assert report.unit == "expressions"
    assert report.counts == {"ref_avs/test_n": 1, "ref_avs/test_s": 1, "ref_avs/train": 4}
    # Four videos of 3 frames; masks of three objects; those of null videos are not read.
    summary = report.summary
    assert (summary["clips"], summary["frames"], summary["labels"]) == (4, 12, 9)


def test_faults_of_index_and_folders_are_named_once(ref_root: Path, places: Callable) -> None:
    for folder in ("media/vidX_0_10000/frames", "gt_mask/vidX_0_10000", f"gt_mask/{A}/fid_9"):
        (ref_root / folder).mkdir(parents=True)
    shutil.rmtree(ref_root / "media" / "null_c-vidT_0_10000")
    rows = [
        f"{A},{A}_fox_1,train,7,The fox.",
        f"{A},{A}_dog_3,train,1, ",
        f"{A},{A}_dog_1,train,1,The dog again.",
        f"{S},{S}_dog_1,test_u,1,The dog.",
        f"{A},{A}_dog_4,tran,1,The dog.",
    ]
    add_rows(ref_root / "metadata.csv", *rows)
    report = check_data("ref_avs", ref_root)
    assert not report.healthy
    assert places(report) == {
        "unknown_split": [f"{A}_dog_4"],
        "duplicate_row": [f"{A}_dog_1"],
        "duplicate_across_splits": [f"{S}_dog_1"],
        "row_without_folder": ["media/null_c-vidT_0_10000"],
        "folder_without_row": ["media/vidX_0_10000"],
        "expression_without_words": [f"{A}_dog_3"],
        "expression_without_object": [f"gt_mask/{A}/fid_7"],
        "video_across_splits": [S],
        "masks_without_expression": [f"gt_mask/{A}/fid_9"],
        "stray_row": [f"{A}_dog_9"],
    }


def test_faults_of_files_are_named_once_however_many_expressions_share_them(
    ref_root: Path, places: Callable
) -> None:
    masks = ref_root / "gt_mask"
    empty(masks / A / "fid_1", "*")
    (masks / A / "fid_2" / "00002.png").unlink()
    write_picture(masks / A / "fid_2" / "00001.png", corner=7)
    write_picture(masks / S / "fid_1" / "00000.png", height=30)
    cut(ref_root / "media" / A / "frames" / "0.jpg")
    (ref_root / "media" / A / "audio.wav").unlink()
    empty(ref_root / "media" / "null_m-vidN_0_10000" / "frames", "*")
    (ref_root / "media" / S / "audio.wav").write_bytes(b"")
    write_noise(ref_root / "media" / "null_c-vidT_0_10000" / "audio.wav", 1)
    report = check_data("ref_avs", ref_root)
    assert places(report) == {
        "missing_frames": ["media/null_m-vidN_0_10000/frames"],
        "missing_labels": [f"gt_mask/{A}/fid_1"],
        "missing_audio": [f"media/{A}/audio.wav"],
        "frame_without_label": [f"media/{A}/frames/2.jpg"],
        "unreadable_image": [f"media/{A}/frames/0.jpg"],
        "unreadable_audio": [f"media/{S}/audio.wav"],
        "size_mismatch": [f"gt_mask/{S}/fid_1"],
        "short_audio": ["media/null_c-vidT_0_10000/audio.wav"],
        "unknown_label_value": [f"gt_mask/{A}/fid_2/00001.png"],
        "stray_row": [f"{A}_dog_9"],
    }
