"""AVSBench's semantic release: every planted fault is named once, and nothing else is."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from auralsam2.data.checking.check import check_data
from auralsam2.data.datasets.avsbench import AVSBenchDataset

from ..trees import write_noise
from .conftest import add_rows, cut, empty, write_colours, write_picture

INDEX = Path("avss_index") / "metadata.csv"


def clip(number: int) -> str:
    return f"v1m/v1m-{number}_0_5000"


def plant(root: Path) -> dict[str, list[str]]:
    """Plant every fault that a clip or a row can have; return where."""
    folder = [root / clip(number) for number in range(18)]
    shutil.rmtree(folder[0])
    (root / "v1m" / "stranger").mkdir()
    empty(folder[1] / "frames", "*")
    empty(folder[2] / "labels_rgb", "*")
    (folder[3] / "audio.wav").unlink()
    (folder[4] / "labels_rgb" / "2.png").unlink()
    cut(folder[5] / "frames" / "1.jpg")
    cut(folder[6] / "labels_rgb" / "1.png")
    (folder[7] / "audio.wav").write_bytes(b"no sound at all")
    write_picture(folder[8] / "labels_rgb" / "0.png", width=40)
    write_picture(folder[9] / "frames" / "0.jpg", height=30)
    write_noise(folder[10] / "audio.wav", seconds=2.9)
    write_picture(folder[11] / "labels_rgb" / "2.png", corner=7)
    (folder[12] / "frames" / "0.jpg").rename(folder[12] / "frames" / "first.jpg")
    write_noise(folder[13] / "audio.wav", seconds=3, rate=44_100)
    row = "v1m-{0},v1m-{0}_0_5000,0,0,dog,{1},v1m"
    new = "new,new_0_5000,0,0,dog,{},{}"
    add_rows(
        root / INDEX, row.format(14, "train"), row.format(15, "val"), new.format("tset", "v1m")
    )
    return {
        "unknown_split": ["new_0_5000"],
        "duplicate_row": [clip(14)],
        "duplicate_across_splits": [clip(15)],
        "row_without_folder": [clip(0)],
        "folder_without_row": ["v1m/stranger"],
        "missing_frames": [f"{clip(1)}/frames"],
        "missing_labels": [f"{clip(2)}/labels_rgb"],
        "missing_audio": [f"{clip(3)}/audio.wav"],
        "unnumbered_file": [f"{clip(12)}/frames/first.jpg"],
        "frame_without_label": [f"{clip(4)}/frames/2.jpg"],
        "label_without_frame": [f"{clip(12)}/labels_rgb/0.png"],
        "frame_count": [f"{clip(12)}/frames"],
        "unreadable_image": [f"{clip(5)}/frames/1.jpg", f"{clip(6)}/labels_rgb/1.png"],
        "unreadable_audio": [f"{clip(7)}/audio.wav"],
        "size_mismatch": [clip(8), clip(9)],
        "short_audio": [f"{clip(10)}/audio.wav"],
        "unknown_label_value": [f"{clip(11)}/labels_rgb/2.png"],
        "sample_rate": [f"{clip(13)}/audio.wav"],
    }


def test_a_healthy_tree_has_right_counts_and_no_finding(voc_root: Path, places: Callable) -> None:
    report = check_data("v1m", voc_root)
    assert report.healthy and places(report) == {}
    assert "unknown_palette" not in report.groups
    assert report.counts == {"v1m/train": 18}
    summary = report.summary
    assert (summary["clips"], summary["frames"], summary["labels"]) == (18, 54, 54)
    assert summary["seconds"] == 54.0
    assert summary["silent_share"] == 0
    # Rows 4 to 11 of 24 are object: a third.
    assert summary["areas"]["25-50 %"] == 54 == sum(summary["areas"].values())
    assert summary["sizes"] == {"24x32": 18}


def test_every_fault_is_named_once_and_none_invented(voc_root: Path, places: Callable) -> None:
    planted = plant(voc_root)
    report = check_data("v1m", voc_root)
    assert not report.healthy
    assert places(report) == planted
    (unpaired,) = report.groups["frame_without_label"]
    assert unpaired.detail == "there is no label 2; there are 0.png, 1.png"
    (colour,) = report.groups["unknown_label_value"]
    assert colour.detail == "RGB (7, 7, 7) of no class"


def test_workers_do_not_change_the_report(voc_root: Path) -> None:
    plant(voc_root)
    assert check_data("v1m", voc_root, workers=2).to_json() == check_data("v1m", voc_root).to_json()


def test_a_warning_alone_leaves_the_tree_healthy(voc_root: Path, places: Callable) -> None:
    write_noise(voc_root / clip(0) / "audio.wav", seconds=3, rate=44_100)
    report = check_data("v1m", voc_root)
    assert report.healthy
    assert places(report) == {"sample_rate": [f"{clip(0)}/audio.wav"]}


@pytest.mark.parametrize(("missing", "kinds"), [(0.02, []), (0.06, ["short_audio"])])
def test_sound_is_short_where_the_last_example_would_be_padded(
    voc_root: Path, places: Callable, missing: float, kinds: list[str]
) -> None:
    write_noise(voc_root / clip(0) / "audio.wav", seconds=3 - missing)
    assert list(places(check_data("v1m", voc_root))) == kinds


def test_subsets_have_fingerprints_alone_and_together(avsbench_tree: Callable[..., Path]) -> None:
    root = avsbench_tree(
        [("v1m", "train", 5, 5), ("v1s", "train", 5, 1), ("v2", "train", 10, 10)]
        + [("v1s", "test", 5, 5), ("v1m", "train", 5, 5)]
    )
    found = check_data("avsbench", root).fingerprints
    alone = AVSBenchDataset(str(root), "v1m", "train", image_size=16)
    joined = AVSBenchDataset(str(root), ("v1s", "v1m", "v2"), "train", image_size=16)
    assert found["v1m/train"] == alone.fingerprint()
    assert found["v1s+v1m+v2/train"] == joined.fingerprint()
    assert check_data("v1m", root).fingerprints == {"v1m/train": found["v1m/train"]}


def test_a_first_label_is_enough_to_train_on_v1s_alone(
    avsbench_tree: Callable[..., Path], places: Callable
) -> None:
    root = avsbench_tree([("v1s", "train", 5, 1), ("v1s", "val", 5, 1)])
    assert places(check_data("v1s", root)) == {
        "frame_without_label": [f"v1s/v1s-1_0_5000/frames/{t}.jpg" for t in range(1, 5)]
    }


def test_an_id_in_two_subsets_is_no_duplicate(
    avsbench_tree: Callable[..., Path], places: Callable
) -> None:
    root = avsbench_tree([("v1m", "train", 3, 3), ("v2", "test", 3, 3)])
    index = root / INDEX
    index.write_text(index.read_text().replace("v2-1_0_5000", "v1m-0_0_5000"))
    (root / "v2" / "v2-1_0_5000").rename(root / "v2" / "v1m-0_0_5000")
    assert places(check_data("v2", root)) == {}


def test_without_class_list_only_the_number_of_colours_is_checked(
    voc_root: Path, places: Callable
) -> None:
    (voc_root / "label2idx.json").unlink()
    label = voc_root / clip(0) / "labels_rgb" / "0.png"
    write_picture(label, corner=7)
    report = check_data("v1m", voc_root)
    assert places(report) == {} and "unknown_palette" in report.groups
    write_colours(label)
    report = check_data("v1m", voc_root)
    assert places(report) == {"unknown_label_value": [f"{clip(0)}/labels_rgb/0.png"]}


def test_a_class_list_that_is_no_json_is_a_fault(voc_root: Path, places: Callable) -> None:
    (voc_root / "label2idx.json").write_text("{")
    report = check_data("v1m", voc_root)
    assert places(report) == {"unusable_class_list": ["label2idx.json"]} and not report.healthy


@pytest.mark.parametrize("content", ["", "vid,uid\na,b\n", "vid,uid,a_obj,split,label\n"])
def test_an_index_without_content_is_a_fault(
    voc_root: Path, places: Callable, content: str
) -> None:
    (voc_root / INDEX).write_text(content)
    shutil.rmtree(voc_root / "v1m")
    report = check_data("v1m", voc_root)
    assert list(places(report)) == ["unusable_index"] and not report.healthy


def test_no_index_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no AVSBench index"):
        check_data("v2", tmp_path)
