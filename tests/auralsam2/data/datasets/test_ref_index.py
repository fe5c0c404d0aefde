from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from auralsam2.data.datasets.index import ClipFiles
from auralsam2.data.datasets.ref_index import Expression, RefIndex
from auralsam2.data.problems import DataError


def read_expressions(root: Path, split: str) -> tuple[list[Expression], list[ClipFiles]]:
    index = RefIndex(root)
    return index.expressions(split), index.read(split)


def test_expressions_come_in_the_order_of_the_index(ref_root: Path) -> None:
    expressions, files = read_expressions(ref_root, "train")
    assert expressions[0] == Expression(
        "vidA_0_10000_dog_1", "vidA_0_10000", "1", "The dog, heard first.", False
    )
    assert [e.text for e in expressions[1:3]] == ["The dog on the left.", "The silent cat."]
    assert [c.uid for c in files] == [e.uid for e in expressions]
    assert [p.parent.name for p in files[2].labels] == ["fid_2"] * 3
    assert [p.name for p in files[0].labels] == ["00000.png", "00001.png", "00002.png"]
    assert files[0].frames is files[1].frames and files[0].sources == {"vidA_0_10000"}


@pytest.mark.parametrize(
    ("split", "index", "video"),
    [("train", 3, "null_m-vidN_0_10000"), ("test_n", 0, "null_c-vidT_0_10000")],
)
def test_null_expressions_lie_in_the_folder_of_their_uid(
    ref_root: Path, split: str, index: int, video: str
) -> None:
    expressions, files = read_expressions(ref_root, split)
    assert expressions[index].null and expressions[index].video == video
    assert files[index].labels == () and files[index].audio.parent.name == video
    assert not (ref_root / "gt_mask" / video).exists()


def test_all_problems_are_listed_once(ref_root: Path) -> None:
    media, masks = ref_root / "media" / "vidA_0_10000", ref_root / "gt_mask" / "vidA_0_10000"
    (media / "audio.wav").unlink()
    (masks / "fid_1" / "00001.png").unlink()
    shutil.rmtree(masks / "fid_2")
    shutil.rmtree(ref_root / "media" / "null_m-vidN_0_10000")
    text = (ref_root / "metadata.csv").read_text().replace("The silent cat.", " ")
    (ref_root / "metadata.csv").write_text(text)
    with pytest.raises(DataError) as caught:
        read_expressions(ref_root, "train")
    message = str(caught.value)
    assert "5 problems" in message and f"'{ref_root}', ref_avs/train" in message
    assert message.count(f"'{media / 'audio.wav'}': there is no") == 1  # of three expressions
    assert f"'{media / 'frames' / '1.jpg'}': there is no label 1; there are 00000.png" in message
    assert f"'{masks / 'fid_2'}': there is no such folder" in message
    null = ref_root / "media" / "null_m-vidN_0_10000"
    assert f"'{null}': there is no such folder" in message
    assert "vidA_0_10000_cat_1: it has no words" in message
    assert len(read_expressions(ref_root, "test_s")[0]) == 1  # the other splits are whole


def test_what_the_index_lacks_is_told(ref_root: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no expressions of 'val'; it has .*test_s: 1.*train: 4"):
        read_expressions(ref_root, "val")
    path = ref_root / "metadata.csv"
    path.write_text(path.read_text().replace("fid,exp", "fid,text"))
    with pytest.raises(DataError, match=r"lacks columns \['exp'\]"):
        read_expressions(ref_root, "train")
    with pytest.raises(FileNotFoundError, match=r"no Ref-AVS index at .*data\.root"):
        read_expressions(tmp_path / "nowhere", "train")
