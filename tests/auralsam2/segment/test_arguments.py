from __future__ import annotations

from pathlib import Path

import pytest

from auralsam2.segment.arguments import ArgumentsError, find_videos, read_arguments


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_files_are_called_by_their_names_and_those_of_folders_by_their_paths(
    tmp_path: Path,
) -> None:
    folder, out = tmp_path / "videos", tmp_path / "videos" / "out"
    touch(folder / "a.mp4", folder / "b" / "ä.MKV", folder / "a.txt", folder / ".hidden.mp4")
    touch(out / "a.mp4" / "overlay.mp4", tmp_path / "c.strange")
    found, problems = find_videos([folder, tmp_path / "c.strange"], out)
    assert problems == []
    assert found == {
        "a.mp4": folder / "a.mp4",
        "b/ä.MKV": folder / "b" / "ä.MKV",
        "c.strange": tmp_path / "c.strange",
    }


def test_the_same_video_twice_is_one_and_two_of_a_name_are_refused(tmp_path: Path) -> None:
    touch(tmp_path / "x" / "a.mp4", tmp_path / "y" / "a.mp4")
    found, problems = find_videos([tmp_path / "x", tmp_path / "x" / "a.mp4"], tmp_path / "out")
    assert list(found) == ["a.mp4"] and problems == []
    _, problems = find_videos([tmp_path / "x", tmp_path / "y"], tmp_path / "out")
    assert len(problems) == 1 and "would both go to" in problems[0]


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    touch(tmp_path / "a.mp4", tmp_path / "b.mp4")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArgumentsError) as caught:
        read_arguments(
            [tmp_path / name for name in ("a.mp4", "b.mp4", "gone.mp4", "empty")],
            tmp_path / "out",
            clicks=["1,2,3,+", "x"],
            boxes=["0,9,9,1,1"],
            run=tmp_path / "gone",
            config="auralsam2/mini_v1m",
            checkpoint=tmp_path / "w.pth",
            audio=tmp_path / "gone.wav",
        )
    told = "\n".join(caught.value.problems)
    for said in (
        "no video at '", "no video in '", "--click x: wanted", "--box 0,9,9,1,1: x0 must",
        "--click and --box are of one video, got 2", "--audio: no sound file at",
        "--run has a config and weights of its own", "--run: no run folder at",
        "--checkpoint: no weights at",
    ):  # fmt: skip
        assert said in told, said
    assert len(caught.value.problems) == 9


def test_a_config_wants_weights(tmp_path: Path) -> None:
    touch(tmp_path / "a.mp4")
    with pytest.raises(ArgumentsError, match="--config wants the weights"):
        read_arguments([tmp_path / "a.mp4"], tmp_path, config="auralsam2/mini_v1m")


def test_what_is_asked_for(tmp_path: Path) -> None:
    touch(tmp_path / "a.mp4", tmp_path / "w.safetensors")
    found = read_arguments(
        [tmp_path / "a.mp4"], tmp_path / "out", clicks=["1,2,3,+"], fps=5.0, text=None, audio=None,
        config="auralsam2/mini_v1m", checkpoint=tmp_path / "w.safetensors",
    )  # fmt: skip
    assert found.request.fps == 5 and found.request.prompts[0].time == 1
    assert set(found.model) == {"config", "checkpoint"}
    assert read_arguments([tmp_path / "a.mp4"], tmp_path / "out").model == {}
