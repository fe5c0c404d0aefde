"""Grids and sweeps below a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.paper.source import GRID, SWEEP, find_sources

WriteGrid = Callable[..., Path]


def test_grids_and_sweeps_are_found_at_any_depth(tmp_path: Path, write_grid: WriteGrid) -> None:
    write_grid(tmp_path / "b")
    write_grid(tmp_path / "deep" / "a")
    (tmp_path / "deep" / "loop").symlink_to(tmp_path / "deep")
    (tmp_path / "linked").symlink_to(tmp_path / "b")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "sweep.json").write_text("{}")
    found = {source.name: source.kind for source in find_sources(tmp_path)}
    assert found == {"b": GRID, "c": SWEEP, "a": GRID}


def test_folders_of_one_name_are_told_apart(tmp_path: Path, write_grid: WriteGrid) -> None:
    for parent in ("x", "y"):
        write_grid(tmp_path / parent / "arms")
    assert [source.name for source in find_sources(tmp_path)] == ["x-arms", "y-arms"]


def test_names_are_unique_whatever_folders_are_called(
    tmp_path: Path, write_grid: WriteGrid
) -> None:
    for path in ("x/demo", "y/demo", "x-demo"):
        write_grid(tmp_path / path)
    names = [source.name for source in find_sources(tmp_path)]
    assert len(set(names)) == 3


def test_notes_of_one_part_are_not_those_of_the_next(tmp_path: Path, write_grid: WriteGrid) -> None:
    (source,) = find_sources(write_grid(tmp_path / "arms"))
    source.results.notes.append("said once")
    assert source.results.notes == []


def test_a_grid_may_be_named_itself(tmp_path: Path, write_grid: WriteGrid) -> None:
    folder = write_grid(tmp_path / "arms")
    (source,) = find_sources(folder)
    assert (source.name, source.path) == ("arms", folder)
    assert {run["cell"] for run in source.runs()} == {"none", "sparse", "dense", "sparse+dense"}
    assert all((folder / run["folder"] / "record.json").is_file() for run in source.runs())


def test_runs_without_a_grid_count_as_one(tmp_path: Path, write_run: Callable[..., object]) -> None:
    write_run(tmp_path / "one", "dense", 0)
    (source,) = find_sources(tmp_path)
    assert source.kind == GRID and [run["folder"] for run in source.runs()] == ["one"]


def test_nothing_below_a_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="neither a grid nor a sweep"):
        find_sources(tmp_path)
    with pytest.raises(FileNotFoundError, match="no folder"):
        find_sources(tmp_path / "none")
