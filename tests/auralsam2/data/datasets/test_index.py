from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from auralsam2.data.datasets.index import SHOWN, DataError, read_index


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


def test_all_problems_are_listed_at_once(own_root: Path) -> None:
    folder = own_root / "v1m"
    (folder / "clip00005_s5" / "audio.wav").unlink()
    (folder / "clip00006_s5" / "labels_rgb" / "3.png").unlink()
    shutil.rmtree(folder / "clip00007_s5")
    shutil.rmtree(folder / "clip00008_s5" / "frames")
    with pytest.raises(DataError) as caught:
        read_index(own_root, "v1m", "test")
    message = str(caught.value)
    assert "4 problems" in message and "v1m/test" in message
    assert f"'{folder / 'clip00005_s5' / 'audio.wav'}': there is no such file" in message
    frame = folder / "clip00006_s5" / "frames" / "3.jpg"
    assert f"'{frame}': there is no label 3; there are 0.png, 1.png, 2.png and 1 more" in message
    assert f"'{folder / 'clip00007_s5'}': there is no such folder" in message
    assert f"'{folder / 'clip00008_s5' / 'frames'}': there is no such folder" in message
    # The other splits are whole.
    assert len(read_index(own_root, "v1m", "train")) == 3


def test_many_problems_are_counted(own_root: Path) -> None:
    for path in (own_root / "v1m").glob("*/audio.wav"):
        path.unlink()
    for path in (own_root / "v1m").glob("*/labels_rgb/0.png"):
        path.unlink()
    with pytest.raises(DataError, match=f"and {8 - SHOWN} more") as caught:
        read_index(own_root, "v1m", "test")
    assert "8 problems" in str(caught.value)
    assert str(caught.value).count("\n  - ") == SHOWN


def test_a_missing_index_tells_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        read_index(tmp_path, "v1m", "train")
    message = str(caught.value)
    assert "avss_index/metadata.csv" in message
    assert "data.root" in message and f"auralsam2 make-synthetic {tmp_path}" in message


def test_an_unknown_split_tells_the_known_ones(tiny_root: Path) -> None:
    with pytest.raises(DataError, match=r"no clips of v1m/tset.*v1m/test: 4.*v1m/val: 2"):
        read_index(tiny_root, "v1m", "tset")


def test_missing_columns_are_named(own_root: Path, rewrite_index) -> None:
    rewrite_index(own_root, lambda text: text.replace("a_obj", "objects"))
    with pytest.raises(DataError, match=r"lacks columns \['a_obj'\]"):
        read_index(own_root, "v1m", "train")


def test_a_repeated_clip_is_named(own_root: Path, rewrite_index) -> None:
    rewrite_index(own_root, lambda text: text + text.splitlines()[-1] + "\n")
    with pytest.raises(DataError, match=r"'clip00008_s5' stands 2 times"):
        read_index(own_root, "v1m", "test")


def test_frames_are_in_the_order_of_their_numbers(own_root: Path) -> None:
    for clip in (own_root / "v1m").iterdir():
        for folder, suffix in (("frames", ".jpg"), ("labels_rgb", ".png")):
            files = [clip / folder / f"{t}{suffix}" for t in range(5)]
            for number in range(12):
                shutil.copy(files[number % 5], clip / folder / f"a_b_{number}{suffix}")
            for path in files:
                path.unlink()
    found = read_index(own_root, "v1m", "test")[0]
    assert [p.stem for p in found.frames] == [f"a_b_{n}" for n in range(12)]
    assert [p.stem for p in found.labels] == [f"a_b_{n}" for n in range(12)]


def test_a_frame_without_a_number_is_named(own_root: Path) -> None:
    clip = own_root / "v1m" / "clip00005_s5"
    (clip / "frames" / "0.jpg").rename(clip / "frames" / "cover.jpg")
    with pytest.raises(DataError, match=r"cover\.jpg': its name does not end in a number"):
        read_index(own_root, "v1m", "test")


def test_sources_are_what_sounds(own_root: Path, rewrite_index) -> None:
    def change(text: str) -> str:
        head, *rows = text.splitlines()
        cells = [row.split(",") for row in rows]
        for row, names in zip(cells, ["background", "dog_off-the-screen", "NA"]):
            row[4] = names
        return "\n".join([head, *(",".join(row) for row in cells)]) + "\n"

    rewrite_index(own_root, change)
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
    with pytest.raises(DataError, match="no clips of v1s/val and v1m/val; it has "):
        read_index(root, ("v1s", "v1m", "v2"), "val")


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
