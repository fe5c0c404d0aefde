from __future__ import annotations

import json
from pathlib import Path

import pytest

from analysis.runs.folders import read_folder
from analysis.runs.results import load_runs, with_reference


def test_a_stopped_run_says_why(grid_folder: Path, write_run) -> None:
    runs = grid_folder / "runs"
    reason = "pruned at epoch 2"
    write_run(runs / "none-s1-x", "none", 1, status="stopped", stopped_because=reason, epochs=2)
    results = load_runs(grid_folder)
    assert results.notes == ["none, seed 1: stopped after 2 epochs: pruned at epoch 2"]
    assert len(results.runs) == 7


def test_a_record_without_the_newer_fields_reads_the_same(grid_folder: Path) -> None:
    new = load_runs(grid_folder)
    for path in grid_folder.rglob("record.json"):
        record = json.loads(path.read_text())
        for name in ("skipped", "label_source", "speed", "curve", "attempts", "stopped_because"):
            record.pop(name)
        path.write_text(json.dumps(record))
    old = load_runs(grid_folder)
    assert old.scores.equals(new.scores) and old.runs.equals(new.runs) and old.notes == new.notes


def test_several_folders_stand_side_by_side(write_grid, tmp_path: Path) -> None:
    first = write_grid(tmp_path / "first", {"none": 0.2, "both": 0.6}, reference="none")
    second = write_grid(tmp_path / "second", {"none": 0.3, "film": 0.5}, reference=None)
    results = load_runs([first, second])
    assert results.cells == ("first: none", "both", "second: none", "film")
    assert results.reference == "first: none"
    assert results.title == "Audio prompts of a frozen SAM2"
    assert len(results.scores) == len(load_runs(first).scores) + len(load_runs(second).scores)
    means = results.scores.groupby("cell")["value"].mean()
    assert means["first: none"] != means["second: none"]


def test_folders_of_one_name_are_told_apart_by_their_paths(write_grid, tmp_path: Path) -> None:
    folders = [write_grid(tmp_path / up / "grid", {"none": 0.2}) for up in ("a", "b")]
    cells = load_runs(folders).cells
    assert cells == tuple(f"{folder.as_posix()}: none" for folder in folders)


def test_folders_that_disagree_have_no_reference(write_grid, tmp_path: Path) -> None:
    folders = [
        write_grid(tmp_path / name, {name: 0.2, "x": 0.3}, reference=name) for name in ("a", "b")
    ]
    results = load_runs(folders)
    assert results.reference is None
    assert with_reference(results, "a: x").reference == "a: x"
    with pytest.raises(ValueError, match="unknown reference cell 'a:x'; did you mean 'a: x'"):
        with_reference(results, "a:x")


def test_a_folder_within_another_is_refused(write_grid, tmp_path: Path) -> None:
    folder = write_grid(tmp_path / "grid")
    with pytest.raises(ValueError, match="hold the same runs"):
        load_runs([folder, folder])
    with pytest.raises(ValueError, match="hold the same runs"):
        load_runs([folder, folder / "runs"])


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no folder '.*nowhere'"):
        load_runs(tmp_path / "nowhere")


def test_a_folder_is_called_by_its_name_even_as_a_dot(
    write_run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(tmp_path / "runs" / "a", "one", 0)
    monkeypatch.chdir(tmp_path / "runs")
    assert read_folder(Path(".")).title == "runs"
