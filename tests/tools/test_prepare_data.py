from __future__ import annotations

from pathlib import Path

HEADER = "vid,uid,s_min,s_sec,a_obj,split,label\n"


def test_failures_are_listed_at_the_end(write_video, tmp_path: Path, run) -> None:
    write_video(tmp_path / "videos" / "a.mp4")
    index, out = tmp_path / "metadata.csv", tmp_path / "out"
    index.write_text(HEADER + "a,a,0,0,dog,test,v1m\n")
    arguments = [str(tmp_path / "videos"), str(out), "--layout", "v1m", "--workers", "1"]
    assert (
        run("prepare-data", *arguments, "--metadata", index)
        == f"1 clips written to '{out}', 0 already there, 0 failed\n"
    )
    index.write_text(HEADER + "a,a,0,0,dog,test,v1m\nb,b,0,0,dog,test,v1m\n")
    assert run("prepare-data", *arguments, "--metadata", index, status=1).splitlines() == [
        "clip 'b': no video named 'b'",
        f"0 clips written to '{out}', 1 already there, 1 failed",
    ]


def test_wrong_arguments_exit_with_2(tmp_path: Path, run) -> None:
    arguments = ["prepare-data", str(tmp_path), str(tmp_path / "out"), "--layout"]
    assert "did you mean 'v1m'?" in run(*arguments, "vlm", status=2)
    assert "no video in" in run(*arguments, "v1m", status=2)
