"""Parts to files: what is made, kept, left out, and said."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from analysis.paper.make import Paper, make_paper
from analysis.paper.part import PARTS, Made, NothingToShow, Part
from analysis.paper.recipe import load_recipe
from analysis.paper.source import Source, find_sources
from auralsam2.engine import run_record

Call = tuple[str, str]


@pytest.fixture
def calls() -> Iterator[list[Call]]:
    """Three parts for trial; lists (part, source) of every call."""
    done: list[Call] = []

    class Note(Part):
        def __init__(self, text: str = "x", fails: str = "", **shared: Any) -> None:
            super().__init__(**shared)
            self.text, self.fails = text, fails

        def make(self, source: Source, out: Path) -> Made:
            done.append((self.text, source.name))
            if self.fails == "empty":
                raise NothingToShow("no notes")
            if self.fails:
                raise ValueError(self.fails)
            out.mkdir(parents=True, exist_ok=True)
            (out / "note.txt").write_text(self.text)
            return Made([out / "note.txt"], ["mind the gap"])

        def command(self, source: Source, out: Path) -> str:
            return f"write {self.text}"

    PARTS.register_module(name="Note", module=Note)
    yield done
    PARTS.module_dict.pop("Note")


@pytest.fixture
def make(
    tmp_path: Path, write_grid: Callable[..., Path], calls: list[Call]
) -> Callable[..., Paper]:
    write_grid(tmp_path / "runs" / "arms")
    write_grid(tmp_path / "runs" / "size")

    def run(*nodes: dict[str, Any], **options: Any) -> Paper:
        path = tmp_path / "mine.py"
        path.write_text(f"title = 'T'\nparts = {[{'type': 'Note', **node} for node in nodes]!r}\n")
        sources = find_sources(tmp_path / "runs")
        return make_paper(
            sources, load_recipe(str(path)), tmp_path / "paper", say=lambda _: None, **options
        )

    return run


def test_each_source_has_a_folder_and_the_manifest_says_whence(
    make: Callable[..., Paper], tmp_path: Path
) -> None:
    paper = make({"folder": "tables"})
    assert not paper.problems
    content = json.loads((tmp_path / "paper" / "manifest.json").read_text())
    assert [entry["files"].keys() for entry in content["parts"]] == [
        {"arms/tables/note.txt"},
        {"size/tables/note.txt"},
    ]
    runs = content["sources"]["arms"]["runs"]
    assert len(runs) == 8 and all(run["data_fingerprint"] == "d" * 64 for run in runs)
    assert (tmp_path / "paper" / content["sources"]["arms"]["folder"]).samefile(
        tmp_path / "runs" / "arms"
    )
    text = (tmp_path / "paper" / "manifest.md").read_text()
    assert "write x" in text and "mind the gap" in text and "[arms/tables/note.txt]" in text


def test_what_is_there_and_still_right_is_kept(
    make: Callable[..., Paper], calls: list[Call], tmp_path: Path
) -> None:
    make({})
    assert {entry.status for entry in make({}).entries} == {"kept"} and len(calls) == 2
    (tmp_path / "paper" / "arms" / "figures" / "note.txt").write_text("scribble")
    assert [entry.status for entry in make({}).entries] == ["made", "kept"]
    make({"text": "y"})
    assert len(calls) == 5, "other settings are another part"
    make({"text": "y"}, again=True)
    assert len(calls) == 7


def test_a_run_that_changed_is_drawn_again(
    make: Callable[..., Paper], calls: list[Call], tmp_path: Path
) -> None:
    make({})
    run = tmp_path / "runs" / "size" / "runs" / "dense-s1-x"
    record = run_record.read(run / "record.json")
    record.notes.append("trained anew")
    run_record.write(record, run)
    assert [entry.status for entry in make({}).entries] == ["kept", "made"]


def test_patterns_choose_sources_and_what_fits_none_is_said(make: Callable[..., Paper]) -> None:
    paper = make({"sources": "si*"}, {"sources": ["armes", "sizes"]})
    assert [entry.source for entry in paper.entries] == ["size"]
    assert paper.problems == ("Note: no grid is called 'armes' or 'sizes'",)


def test_one_part_that_fails_stops_no_other(make: Callable[..., Paper], tmp_path: Path) -> None:
    paper = make({"fails": "no luck", "sources": "arms"}, {"fails": "empty"}, {"text": "y"})
    status = [(entry.source, entry.status) for entry in paper.entries]
    assert status == [
        ("arms", "failed"),
        ("arms", "nothing to show"),
        ("arms", "made"),
        ("size", "nothing to show"),
        ("size", "made"),
    ]
    assert paper.problems == ("arms, Note: no luck",)
    assert "no luck" in (tmp_path / "paper" / "manifest.md").read_text()


def test_two_parts_never_write_the_same_file_unnoticed(make: Callable[..., Paper]) -> None:
    paper = make({"text": "a", "sources": "arms"}, {"text": "b", "sources": "arms"})
    assert len(paper.problems) == 1 and "arms/figures/note.txt" in paper.problems[0]


def test_unfinished_grids_are_left_out_unless_asked_for(
    make: Callable[..., Paper], tmp_path: Path
) -> None:
    run = tmp_path / "runs" / "size" / "runs" / "dense-s1-x"
    record = run_record.read(run / "record.json")
    record.status = "running"
    run_record.write(record, run)
    paper = make({})
    assert [entry.source for entry in paper.entries] == ["arms"]
    assert "dense, seed 1: unfinished" in paper.problems[0] and "--partial" in paper.problems[0]
    partial = make({}, partial=True)
    assert [entry.source for entry in partial.entries] == ["arms", "size"]
    assert "dense, seed 1: unfinished" in (tmp_path / "paper" / "manifest.md").read_text()


def test_a_broken_manifest_is_made_anew(
    make: Callable[..., Paper], calls: list[Call], tmp_path: Path
) -> None:
    make({})
    (tmp_path / "paper" / "manifest.json").write_text('{"parts": [{}], "schema": 1}')
    make({})
    assert len(calls) == 4
    assert len(json.loads((tmp_path / "paper" / "manifest.json").read_text())["parts"]) == 2
