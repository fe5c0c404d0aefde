from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from auralsam2.engine import run_record

RECIPE = """
title = "Two tables"
parts = [
    dict(type="ScoreTable", over="clips"),
    dict(type="GridPoints"),
    dict(type="Qualitative"),
]
"""


@pytest.fixture
def folder(write_scored: Callable[..., None], tmp_path: Path) -> Path:
    for number, cell in enumerate(("none", "both")):
        clips = {f"clip{i}": 0.1 * i + 0.3 * number for i in range(4)}
        write_scored(tmp_path / "mine" / "runs" / cell, {"test": {"J": clips}})
    (tmp_path / "mine.py").write_text(RECIPE)
    return tmp_path / "mine"


def test_tables_and_figures_with_their_manifest(folder: Path, tmp_path: Path, run) -> None:
    arguments = [str(folder), "--recipe", str(tmp_path / "mine.py"), "--out", str(tmp_path / "p")]
    said = run("make-paper", *arguments)
    assert "mine: ScoreTable: made" in said and "Qualitative: nothing to show" in said
    content = json.loads((tmp_path / "p" / "manifest.json").read_text())
    files = [name for part in content["parts"] for name in part["files"]]
    assert {"mine/tables/table.tex", "mine/figures/grid_points.pdf"} <= set(files)
    assert all((tmp_path / "p" / name).is_file() for name in files)
    commands = [part["command"] for part in content["parts"]]
    assert commands[0].startswith(f"auralsam2 make-tables {folder}")
    assert "mine: ScoreTable: kept" in run("make-paper", *arguments)


def test_what_is_missing_is_said_and_fails(folder: Path, tmp_path: Path, run) -> None:
    record = run_record.read(folder / "runs" / "both" / "record.json")
    record.status = "running"
    run_record.write(record, folder / "runs" / "both")
    told = run("make-paper", folder, "--recipe", tmp_path / "mine.py", status=1)
    assert "MISSING mine: left out, 1 of its runs are not finished" in told


def test_a_typo_in_a_recipe_stops_before_anything_is_made(
    run, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text("parts = [dict(type='GridPoint')]")
    told = run("make-paper", folder, "--recipe", tmp_path / "mine.py", status=2)
    assert "did you mean 'GridPoints'" in told
    assert not (folder / "paper").exists()
