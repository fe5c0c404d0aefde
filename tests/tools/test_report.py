from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from auralsam2_tools.__main__ import main as dispatch
from auralsam2_tools.report import main


@pytest.fixture
def folder(write_scored: Callable[..., None], tmp_path: Path) -> Path:
    for cell, score in (("a", 0.4), ("b", 0.6)):
        write_scored(tmp_path / "runs" / cell, {"test": {"J": {"x": score, "y": score}}})
    return tmp_path


def test_pages_of_a_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder), "--clips", "0"]) == 0
    shown = capsys.readouterr().out
    assert f"{folder / 'report' / 'index.html'}\n" in shown
    assert "note: nothing is tested for significance: no reference cell is named" in shown
    assert (folder / "report" / "cells" / "02-b.html").is_file()


def test_elsewhere_and_against_a_cell(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "page"
    command = [str(folder), "--clips", "0", "--reference", "a", "--out", str(out)]
    assert main(command) == 0
    assert "Reference cell" in (out / "index.html").read_text()
    assert not (folder / "report").exists()


def test_errors_say_what_to_do(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch(["report", str(folder), "--reference", "c"]) == 2
    assert "unknown reference cell 'c'" in capsys.readouterr().err
    assert dispatch(["report", str(folder), "--set", "data.root"]) == 2
    assert "write KEY=VALUE" in capsys.readouterr().err
    assert dispatch(["report", str(folder / "nowhere")]) == 2
