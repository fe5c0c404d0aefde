from __future__ import annotations

from pathlib import Path

import pytest

from auralsam2.data.preparation.prepare import prepare

HEADER = "vid,uid,s_min,s_sec,a_obj,split,label\n"


@pytest.fixture
def videos(write_video, tmp_path: Path) -> Path:
    """One clip of its own, one whole recording, one that is too short, one that is none."""
    folder = tmp_path / "videos"
    write_video(folder / "cut_1.mp4")
    write_video(folder / "below" / "whole.mkv", seconds=7)
    write_video(folder / "short.mp4", seconds=2)
    (folder / "text.mp4").write_text("no video")
    return folder


@pytest.fixture
def index(tmp_path: Path) -> Path:
    rows = ["cut,cut_1,0,30", "whole,whole_2,0,2", "short,short,0,0", "text,text,0,0", "x,gone,0,0"]
    path = tmp_path / "metadata.csv"
    path.write_text(HEADER + "".join(f"{row},dog,train,v1m\n" for row in rows))
    return path


def test_one_bad_video_does_not_stop_the_others(videos: Path, index: Path, tmp_path: Path) -> None:
    out, started, seen = tmp_path / "out", [], []
    done = prepare(
        videos, out, "v1m", index, on_start=started.append, on_clip=lambda: seen.append(1)
    )
    assert done.written == ["cut_1", "whole_2"] and done.skipped == []
    assert list(done.failures) == ["short", "text", "gone"]
    assert "its pictures end at 1.90 s" in done.failures["short"]
    assert "cannot decode" in done.failures["text"]
    assert done.failures["gone"] == "no video named 'gone' or 'x'"
    assert started == [4] and len(seen) == 4
    assert sorted(path.name for path in out.iterdir()) == ["avss_index", "v1m"]
    assert sorted(path.name for path in (out / "v1m").iterdir()) == ["cut_1", "whole_2"]
    assert (out / "avss_index" / "metadata.csv").read_text() == index.read_text()


def test_a_second_call_does_only_what_is_left(videos, index, write_video, tmp_path) -> None:
    prepare(videos, tmp_path / "out", "v1m", index)
    write_video(videos / "gone.mp4")
    again = prepare(videos, tmp_path / "out", "v1m", index, workers=2)
    assert again.written == ["gone"] and again.skipped == ["cut_1", "whole_2"]
    assert list(again.failures) == ["short", "text"]


def test_without_an_index_every_video_is_a_clip(videos: Path, tmp_path: Path) -> None:
    done = prepare(videos, tmp_path / "out", "v1s", workers=1)
    assert done.written == ["cut_1", "whole"] and list(done.failures) == ["short", "text"]
    assert not (tmp_path / "out" / "avss_index").exists()


def test_a_name_that_may_mean_two_things_is_asked_about(write_video, tmp_path: Path) -> None:
    write_video(tmp_path / "videos" / "a.mp4", seconds=7)
    index = tmp_path / "metadata.csv"
    index.write_text(HEADER + "a,a,0,1,dog,train,v1m\n")
    arguments = (tmp_path / "videos", tmp_path / "out", "v1m", index)
    done = prepare(*arguments)
    assert "state --named uid" in done.failures["a"] and "at 1 s of it" in done.failures["a"]
    assert prepare(*arguments, named="vid").written == ["a"]


def test_two_videos_of_one_name_are_told(write_video, tmp_path: Path) -> None:
    for suffix in ("mp4", "mkv"):
        write_video(tmp_path / "videos" / f"a.{suffix}")
    done = prepare(tmp_path / "videos", tmp_path / "out", "v1m")
    assert "more than one video of that name" in done.failures["a"]


def test_a_folder_without_videos_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no folder of videos at"):
        prepare(tmp_path / "gone", tmp_path / "out", "v1m")
    (tmp_path / "videos").mkdir()
    with pytest.raises(FileNotFoundError, match="no video in .*known endings: avi"):
        prepare(tmp_path / "videos", tmp_path / "out", "v1m")
