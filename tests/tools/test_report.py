from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def folder(write_scored: Callable[..., None], tmp_path: Path) -> Path:
    for cell, score in (("a", 0.4), ("b", 0.6)):
        write_scored(tmp_path / "runs" / cell, {"test": {"J": {"x": score, "y": score}}})
    return tmp_path


def test_pages_of_a_folder(folder: Path, run) -> None:
    shown = run("report", folder, "--clips", "0")
    assert f"{folder / 'report' / 'index.html'}\n" in shown
    assert "note: nothing is tested for significance: no reference cell is named" in shown
    assert (folder / "report" / "cells" / "02-b.html").is_file()


def test_elsewhere_and_against_a_cell(run, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "page"
    command = [str(folder), "--clips", "0", "--reference", "a", "--out", str(out)]
    run("report", *command)
    assert "Reference cell" in (out / "index.html").read_text()
    assert not (folder / "report").exists()


def test_errors_say_what_to_do(folder: Path, run) -> None:
    assert "unknown reference cell 'c'" in run("report", folder, "--reference", "c", status=2)
    assert "write KEY=VALUE" in run("report", folder, "--set", "data.root", status=2)
    run("report", folder / "nowhere", status=2)
