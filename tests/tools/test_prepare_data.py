from __future__ import annotations

from pathlib import Path

import pytest
from auralsam2_tools.__main__ import main as dispatch
from auralsam2_tools.prepare_data import main

HEADER = "vid,uid,s_min,s_sec,a_obj,split,label\n"


def test_failures_are_listed_at_the_end(
    write_video, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_video(tmp_path / "videos" / "a.mp4")
    index, out = tmp_path / "metadata.csv", tmp_path / "out"
    index.write_text(HEADER + "a,a,0,0,dog,test,v1m\n")
    arguments = [str(tmp_path / "videos"), str(out), "--layout", "v1m", "--workers", "1"]
    assert main([*arguments, "--metadata", str(index)]) == 0
    assert capsys.readouterr().out == f"1 clips written to '{out}', 0 already there, 0 failed\n"
    index.write_text(HEADER + "a,a,0,0,dog,test,v1m\nb,b,0,0,dog,test,v1m\n")
    assert main([*arguments, "--metadata", str(index)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "clip 'b': no video named 'b'",
        f"0 clips written to '{out}', 1 already there, 1 failed",
    ]


def test_wrong_arguments_exit_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["prepare-data", str(tmp_path), str(tmp_path / "out"), "--layout"]
    assert dispatch([*arguments, "vlm"]) == 2
    assert "did you mean 'v1m'?" in capsys.readouterr().err
    assert dispatch([*arguments, "v1m"]) == 2
    assert "no video in" in capsys.readouterr().err
