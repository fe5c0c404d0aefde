from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from auralsam2.data.datasets.object_index import read_object_index
from auralsam2.data.problems import DataError


def test_files_of_s4_lie_below_split_and_category(object_root: Path) -> None:
    (clip,) = read_object_index(object_root, "v1s", "train", "log_mel")
    data = object_root / "s4_data"
    below = "train/dog_barking"
    assert clip.uid == "d.g_1_2" and clip.sources == {"dog_barking"} and clip.first_only
    assert clip.frames[0] == data / "visual_frames" / below / clip.uid / "d.g_1_2_1.png"
    assert clip.labels == (data / "gt_masks" / below / clip.uid / "d.g_1_2_1.png",)
    assert clip.audio == data / "audio_log_mel" / below / "d.g_1_2.pkl"
    assert all(path.is_file() for path in clip.all())


def test_frames_of_ms3_lie_beside_their_split(object_root: Path) -> None:
    (clip,) = read_object_index(object_root, "v1m", "val", "wav")
    data = object_root / "ms3_data"
    assert [p.name for p in clip.frames] == [f"more_2.mp4_{n}.png" for n in range(1, 6)]
    assert clip.frames[0].parent == data / "visual_frames" / "more_2"
    assert clip.labels[4] == data / "gt_masks" / "val" / "more_2" / "more_2_5.png"
    assert clip.audio == data / "audio_wav" / "val" / "more_2.wav"
    assert clip.sources == {"more_2"} and not clip.first_only


def test_the_archives_folders_and_an_index_inside_are_found(object_root: Path) -> None:
    expected = read_object_index(object_root, "v1s", "test", "wav")
    home = object_root / "Single-source"
    home.mkdir()
    (object_root / "s4_data").rename(home / "s4_data")
    (object_root / "s4_meta_data.csv").rename(home / "s4_data" / "s4_meta_data.csv")
    found = read_object_index(object_root, "v1s", "test", "wav")
    assert found[0].frames[0].relative_to(home) == expected[0].frames[0].relative_to(object_root)


def test_what_is_not_there_is_named(object_root: Path) -> None:
    with pytest.raises(DataError, match=r"no clips of 'val'; it has test: 1, train: 1"):
        read_object_index(object_root, "v1s", "val", "wav")
    (object_root / "s4_meta_data.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"no index at .*s4_meta_data\.csv' or "):
        read_object_index(object_root, "v1s", "test", "wav")
    shutil.rmtree(object_root / "s4_data")
    with pytest.raises(FileNotFoundError, match=r"no folder 's4_data'.*AVSBenchDataset"):
        read_object_index(object_root, "v1s", "test", "wav")


def test_all_faults_are_told_at_once(object_root: Path) -> None:
    data, index = object_root / "ms3_data", object_root / "ms3_meta_data.csv"
    (data / "gt_masks" / "train" / "many_1" / "many_1_3.png").unlink()
    (data / "audio_log_mel" / "train" / "many_1.pkl").unlink()
    (data / "visual_frames" / "many_1" / "odd.png").write_bytes(b"")
    index.write_text(index.read_text() + "absent_9,train\nabsent_9,train\n")
    with pytest.raises(DataError) as caught:
        read_object_index(object_root, "v1m", "train", "log_mel")
    message = str(caught.value)
    for part in (
        "clip 'absent_9' stands 2 times in the index",
        "many_1.mp4_3.png': there is no label 3; there are many_1_1.png, many_1_2.png",
        "odd.png': its name does not end in a number",
        "many_1.pkl': there is no such file; audio='wav' would find one",
        "absent_9': there is no such folder",
    ):
        assert part in message


def test_a_missing_column_is_named(object_root: Path) -> None:
    index = object_root / "s4_meta_data.csv"
    index.write_text(index.read_text().replace("category", "kind"))
    with pytest.raises(DataError, match=r"lacks columns \['category'\]"):
        read_object_index(object_root, "v1s", "train", "wav")
