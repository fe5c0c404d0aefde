from __future__ import annotations

from pathlib import Path

import pytest

from auralsam2.data.preparation.layouts import LAYOUTS, Source, Wanted, read_wanted
from auralsam2.data.problems import DataError

HEADER = "vid,uid,s_min,s_sec,a_obj,split,label\n"


def write(path: Path, content: str) -> Path:
    path.write_text(content)
    return path


def test_avsbench_names_a_clip_and_its_recording(tmp_path: Path) -> None:
    index = write(
        tmp_path / "metadata.csv",
        HEADER + "abc,abc_95000_100000,1,35,dog,train,v1m\nx,x_0,0,0,cat,test,v2\n",
    )
    assert read_wanted(index, LAYOUTS["v1m"]) == [
        Wanted(
            "abc_95000_100000",
            (Source("uid", "abc_95000_100000", 0.0), Source("vid", "abc", 95.0)),
        )
    ]
    assert [clip.name for clip in read_wanted(index, LAYOUTS["v2"])] == ["x_0"]
    assert LAYOUTS["v1m"].num_frames == 5 and LAYOUTS["v2"].num_frames == 10
    with pytest.raises(DataError, match="no clips with the label 'v1s'; it has v1m, v2"):
        read_wanted(index, LAYOUTS["v1s"])


def test_ref_avs_names_each_video_once(tmp_path: Path) -> None:
    index = write(
        tmp_path / "metadata.csv",
        "vid,uid,split,fid,exp\n"
        "a,a_1_0,train,1,the dog\na,a_2_0,train,2,the cat\nb,null_b_1_0,test_n,1,the bird\n",
    )
    clips = read_wanted(index, LAYOUTS["ref_avs"])
    assert [clip.name for clip in clips] == ["a", "null_b"]
    assert clips[0].sources == (Source("uid", "a", 0.0),)


def test_broken_indices_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no index at '.*gone\.csv'"):
        read_wanted(tmp_path / "gone.csv", LAYOUTS["v1m"])
    index = write(tmp_path / "metadata.csv", "uid,label\nx,v1m\n")
    with pytest.raises(DataError, match=r"lacks columns \['vid', 's_min', 's_sec'\]"):
        read_wanted(index, LAYOUTS["v1m"])
    write(index, HEADER + "abc,abc,one,5,dog,train,v1m\n")
    with pytest.raises(DataError, match="clip 'abc' begins at s_min='one'"):
        read_wanted(index, LAYOUTS["v1m"])
    write(index, HEADER + "abc,../abc,0,5,dog,train,v1m\n")
    with pytest.raises(DataError, match=r"no names of folders: \['\.\./abc'\]"):
        read_wanted(index, LAYOUTS["v1m"])
