from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from auralsam2.data.datasets.avsbench_index import INDEX, ObjectIndex, SemanticIndex
from auralsam2.data.datasets.index import ClipFiles
from auralsam2.data.problems import DataError

from ..trees import write_rows


def read_index(root: Path, subsets: str | tuple[str, ...], split: str) -> list[ClipFiles]:
    return SemanticIndex(root, (subsets,) if isinstance(subsets, str) else subsets).read(split)


def read_object_index(root: Path, subset: str, split: str, audio: str) -> list[ClipFiles]:
    return ObjectIndex(root, subset, audio).read(split)


def test_clips_come_in_the_order_of_the_index(tiny_root: Path) -> None:
    assert [c.uid for c in read_index(tiny_root, "v1m", "train")] == [
        "clip00000_s5",
        "clip00001_s5",
        "clip00002_s5",
    ]
    sizes = {split: len(read_index(tiny_root, "v1m", split)) for split in ("train", "val", "test")}
    assert sizes == {"train": 3, "val": 2, "test": 4}
    for clip in read_index(tiny_root, "v1m", "test"):
        assert [p.name for p in clip.frames] == [f"{t}.jpg" for t in range(5)]
        assert [p.name for p in clip.labels] == [f"{t}.png" for t in range(5)]
        assert all(path.is_file() for path in clip.all()) and len(clip.all()) == 11


def test_a_missing_index_tells_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        read_index(tmp_path, "v1m", "train")
    message = str(caught.value)
    assert "avss_index/metadata.csv" in message
    assert "data.root" in message and f"auralsam2 make-synthetic {tmp_path}" in message


def test_an_unknown_split_tells_the_known_ones(tiny_root: Path) -> None:
    with pytest.raises(DataError, match=r"no clips of 'v1m/tset'.*v1m/test: 4.*v1m/val: 2"):
        read_index(tiny_root, "v1m", "tset")


def test_sources_are_what_sounds(own_root: Path) -> None:
    index = own_root / INDEX
    head, *rows = index.read_text().splitlines()
    cells = [row.split(",") for row in rows]
    for row, names in zip(cells, ["background", "dog_off-the-screen", "NA"]):
        row[4] = names
    write_rows(index, head, *(",".join(row) for row in cells))
    clips = read_index(own_root, "v1m", "train")
    # pandas would take NA for a missing value.
    assert [c.sources for c in clips] == [frozenset(), frozenset({"dog"}), frozenset({"NA"})]


def test_several_subsets_come_one_after_the_other(avsbench_tree) -> None:
    root = avsbench_tree(
        [("v2", "train", 2, 2), ("v1m", "train", 2, 2), ("v1s", "train", 2, 1), ("v2", "val", 2, 2)]
    )
    clips = read_index(root, ("v1s", "v1m", "v2"), "train")
    assert [c.uid.split("-")[0] for c in clips] == ["v1s", "v1m", "v2"]
    assert [c.first_only for c in clips] == [True, False, False]
    with pytest.raises(DataError, match="no clips of 'v1s/val' and 'v1m/val'; it has "):
        read_index(root, ("v1s", "v1m", "v2"), "val")


def test_a_name_in_two_subsets_that_are_read_together_is_refused(avsbench_tree) -> None:
    root = avsbench_tree([("v1m", "train", 3, 3), ("v2", "train", 3, 3)])
    index = root / INDEX
    index.write_text(index.read_text().replace("v2-1_0_5000", "v1m-0_0_5000"))
    (root / "v2" / "v2-1_0_5000").rename(root / "v2" / "v1m-0_0_5000")
    assert len(read_index(root, "v2", "train")) == 1
    with pytest.raises(DataError, match="v1m-0_0_5000: also in v2/train"):
        read_index(root, ("v1m", "v2"), "train")


def test_training_clips_of_one_source_need_one_label_only(avsbench_tree) -> None:
    root = avsbench_tree(
        [
            ("v1s", "train", 3, 1),
            ("v1s", "train", 3, 3),
            ("v1s", "val", 3, 3),
            ("v1s", "test", 3, 1),
        ]
    )
    assert [len(c.labels) for c in read_index(root, "v1s", "train")] == [1, 1]
    assert [len(c.labels) for c in read_index(root, "v1s", "val")] == [3]
    with pytest.raises(DataError, match=r"frames/1\.jpg': there is no label 1; there are 0\.png"):
        read_index(root, "v1s", "test")
    for path in root.glob("v1s/v1s-0_*/labels_rgb/*.png"):
        path.unlink()
    with pytest.raises(DataError, match=r"no \*\.png in it; its first frame needs one"):
        read_index(root, "v1s", "train")


def test_problems_of_several_subsets_come_together(avsbench_tree) -> None:
    root = avsbench_tree([("v1s", "train", 2, 1), ("v2", "train", 2, 1), ("v2", "train", 2, 2)])
    (root / "v1s" / "v1s-0_0_5000" / "audio.wav").unlink()
    with pytest.raises(DataError) as caught:
        read_index(root, ("v1s", "v2"), "train")
    message = str(caught.value)
    assert "2 problems" in message and "v1s+v2/train" in message
    assert "audio.wav': there is no such file" in message and "there is no label 1" in message


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


def test_what_the_object_release_lacks_is_named(object_root: Path) -> None:
    with pytest.raises(DataError, match=r"no clips of 'val'; it has test: 1, train: 1"):
        read_object_index(object_root, "v1s", "val", "wav")
    (object_root / "s4_meta_data.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"no index at .*s4_meta_data\.csv' or "):
        read_object_index(object_root, "v1s", "test", "wav")
    shutil.rmtree(object_root / "s4_data")
    with pytest.raises(FileNotFoundError, match=r"no folder 's4_data'.*AVSBenchDataset"):
        read_object_index(object_root, "v1s", "test", "wav")


def test_a_missing_column_of_the_object_release_is_named(object_root: Path) -> None:
    index = object_root / "s4_meta_data.csv"
    index.write_text(index.read_text().replace("category", "kind"))
    with pytest.raises(DataError, match=r"lacks columns \['category'\]"):
        read_object_index(object_root, "v1s", "train", "wav")
