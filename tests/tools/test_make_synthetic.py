from __future__ import annotations

from pathlib import Path

import pytest
from auralsam2_tools.make_synthetic import main

from auralsam2.data.datasets.avsbench_index import SemanticIndex
from auralsam2.data.datasets.index import ClipFiles
from auralsam2.data.datasets.ref_index import RefIndex
from auralsam2.data.synthetic.video_layout import video_truths

SMALL = ["--split", "1/1/1", "--size", "24", "--workers", "1"]


def v1m(root: Path, split: str) -> list[ClipFiles]:
    return SemanticIndex(root, ["v1m"]).read(split)


def test_clips_are_written_once(tmp_path: Path, run) -> None:
    out = tmp_path / "clips"
    assert f"1/1/1 clips (train/val/test) written to {out}" in run("make-synthetic", out, *SMALL)
    assert all(len(v1m(out, split)) == 1 for split in ("train", "val", "test"))
    assert f"already in {out}" in run("make-synthetic", out, *SMALL)


def test_clips_are_split_by_share(run, tmp_path: Path) -> None:
    run("make-synthetic", tmp_path / "clips", "--clips", "3", "--size", "16", "--workers", "1")
    assert [len(v1m(tmp_path / "clips", s)) for s in ("train", "val", "test")] == [
        1,
        1,
        1,
    ]


@pytest.mark.parametrize("split", ["1/1", "0/1/1", "a/b/c", "1/1/1/1", "-1/2/3"])
def test_a_bad_split_is_refused(run, tmp_path: Path, split: str) -> None:
    told = run("make-synthetic", tmp_path / "clips", f"--split={split}", status=2)
    assert f"such as 200/30/60, got '{split}'" in told
    assert not (tmp_path / "clips").exists()


@pytest.mark.parametrize("arguments", [["--size", "8"], ["--clips", "2"]])
def test_counts_out_of_range_are_refused(run, tmp_path: Path, arguments: list[str]) -> None:
    assert "at least" in run("make-synthetic", tmp_path / "clips", *arguments, status=2)
    assert not (tmp_path / "clips").exists()


def test_an_unknown_layout_gets_a_hint(tmp_path: Path, run) -> None:
    shown = run("make-synthetic", tmp_path / "clips", "--layout", "vlm", *SMALL, status=2)
    assert "'vlm'" in shown and "did you mean 'v1m'?" in shown


def test_other_settings_in_a_folder_fail_with_status_2(tmp_path: Path, run) -> None:
    out = str(tmp_path / "clips")
    run("make-synthetic", out, *SMALL)
    assert "seed 0 instead of 3" in run("make-synthetic", out, *SMALL, "--seed", "3", status=2)


@pytest.mark.parametrize(("layout", "frames"), [("v1s", 5), ("v2", 10)])
def test_every_layout_of_avsbench_has_its_own_frames(
    run, tmp_path: Path, layout: str, frames: int
) -> None:
    run("make-synthetic", tmp_path / "clips", "--layout", layout, *SMALL)
    assert [len(c.frames) for c in SemanticIndex(tmp_path / "clips", [layout]).read("test")] == [
        frames
    ]


def test_ref_avs_has_five_splits(tmp_path: Path, run) -> None:
    out = str(tmp_path / "clips")
    options = ["--layout", "ref_avs", "--size", "16", "--frames", "4", "--workers", "1"]
    told = run("make-synthetic", out, *options, "--clips", "5")
    assert "1/1/1/1/1 clips (train/val/test_s/test_u/test_n)" in told
    index = RefIndex(tmp_path / "clips")
    expressions, files = index.expressions("test_u"), index.read("test_u")
    assert len(expressions) >= 3 and all(len(clip.frames) == 4 for clip in files)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    wrong = ["--layout", "ref_avs", "--split", "1/1/1", "--size", "8", "--frames", "1"]
    wrong += ["--classes", "13", "--unseen", "0"]
    with pytest.raises(ValueError) as caught:
        main([str(tmp_path / "clips"), *wrong])
    lines = str(caught.value).splitlines()
    named = ("split", "size", "frames", "classes", "unseen")
    assert [line.split("--")[1].split()[0] for line in lines] == list(named)
    assert "5 counts (train/val/test_s/test_u/test_n), at least 1 each, such as" in lines[0]
    assert not (tmp_path / "clips").exists()


def test_unseen_classes_need_a_layout_with_unseen_objects(run, tmp_path: Path) -> None:
    told = run("make-synthetic", tmp_path / "clips", "--layout", "v2", "--unseen", "2", status=2)
    assert "--unseen must be 0, got 2: 'v2' has no unseen objects" in told


def test_videos_have_the_length_and_rate_that_are_asked_for(tmp_path: Path, run) -> None:
    pytest.importorskip("av", reason="PyAV (extra 'video') is not installed")
    out = str(tmp_path / "videos")
    options = ["--layout", "video", "--clips", "1", "--frames", "9", "--fps", "4", "--size", "32"]
    assert "1 clips (test) written" in run("make-synthetic", out, *options, "--workers", "1")
    truth = video_truths(tmp_path / "videos")[0]
    assert truth.video.is_file() and truth.fps == 4 and len(truth.masks) == len(truth.sounding) == 9
    told = run("make-synthetic", tmp_path / "clips", *SMALL, "--fps", "4", status=2)
    assert "--fps must be 1, or more in videos; got 4" in told
