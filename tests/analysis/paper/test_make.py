"""Parts to files: what is made, kept, left out, and said."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from auralsam2_tools import measure_dilution

from analysis.paper.make import ERRORS, Paper, make_paper
from analysis.paper.part import PARTS, Made, NothingToShow, Part, load_recipe
from analysis.paper.source import Source, find_sources
from auralsam2.engine import run_record

Call = tuple[str, str]


@pytest.fixture
def calls() -> Iterator[list[Call]]:
    """Three parts for trial; lists (part, source) of every call."""
    done: list[Call] = []

    class Note(Part):
        def __init__(
            self, text: str = "x", fails: str = "", name: str = "note.txt", **shared: Any
        ) -> None:
            super().__init__(**shared)
            self.text, self.fails, self.name = text, fails, name

        def make(self, source: Source, out: Path) -> Made:
            done.append((self.text, source.name))
            if self.fails == "empty":
                raise NothingToShow("no notes")
            if self.fails == "broken":
                raise RuntimeError("shapes do not fit")
            if (out / "stop").exists():
                raise KeyboardInterrupt
            if self.fails not in ("", "lost"):
                raise ValueError(self.fails)
            out.mkdir(parents=True, exist_ok=True)
            (out / self.name).write_text(self.text)
            return Made(
                [out / self.name], ["mind the gap"], lost=["weights gone"] * bool(self.fails)
            )

        def arguments(self, source: Source, out: Path) -> list[str]:
            return ["write", self.text]

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
        sources = find_sources(tmp_path / "runs", overrides=options.pop("overrides", {}))
        return make_paper(sources, load_recipe(str(path)), tmp_path / "paper", **options)

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
    assert (
        "auralsam2 write x" in text and "mind the gap" in text and "[arms/tables/note.txt]" in text
    )


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


def test_whatever_a_part_raises_the_others_are_made(make: Callable[..., Paper]) -> None:
    paper = make({"fails": "broken", "sources": "arms"}, {"text": "y", "sources": "arms"})
    assert [entry.status for entry in paper.entries] == ["failed", "made"]
    assert paper.problems == ("arms, Note: RuntimeError: shapes do not fit",)
    log = paper.paths[-1].read_text()
    assert log.startswith("arms, Note:\nTraceback") and "in make\n" in log
    assert 'raise RuntimeError("shapes do not fit")' in log
    paths = make({"text": "y", "sources": "arms"}).paths
    assert [path.name for path in paths] == ["manifest.json", "manifest.md"]
    assert not (paths[0].parent / ERRORS).exists(), "of an earlier call"


def test_what_is_lost_is_said_and_tried_again(
    make: Callable[..., Paper], calls: list[Call]
) -> None:
    node = {"fails": "lost", "sources": "arms"}
    assert make(node).problems == ("arms, Note: weights gone",)
    assert make(node).entries[0].status == "made" and len(calls) == 2


def test_other_overrides_are_other_parts(make: Callable[..., Paper], calls: list[Call]) -> None:
    make({"sources": "arms"})
    make({"sources": "arms"}, overrides={"data.root": "/elsewhere"})
    assert len(calls) == 2


def test_a_changed_grid_file_is_a_changed_source(
    make: Callable[..., Paper], calls: list[Call], tmp_path: Path
) -> None:
    make({"sources": "arms"})
    path = tmp_path / "runs" / "arms" / "grid.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "reference": "none"}))
    assert make({"sources": "arms"}).entries[0].status == "made"


def test_a_call_that_is_stopped_forgets_nothing(
    make: Callable[..., Paper], calls: list[Call], tmp_path: Path
) -> None:
    nodes = [{"name": f"{number}.txt", "sources": "arms"} for number in (1, 2, 3)]
    make(*nodes)
    folder = tmp_path / "paper" / "arms" / "figures"
    (folder / "2.txt").write_text("scribble")
    (folder / "stop").touch()
    with pytest.raises(KeyboardInterrupt):
        make(*nodes)
    (folder / "stop").unlink()
    paper = make(*nodes)
    assert [entry.status for entry in paper.entries] == ["kept", "made", "kept"]


def test_files_of_another_call_are_set_aside(make: Callable[..., Paper], tmp_path: Path) -> None:
    make({"name": "old.txt", "sources": "arms"})
    make({"name": "new.txt", "sources": "arms"})
    folder = tmp_path / "paper"
    assert [path.name for path in (folder / "arms" / "figures").iterdir()] == ["new.txt"]
    assert (folder / "stale" / "arms" / "figures" / "old.txt").read_text() == "x"
    make({"name": "new.txt", "text": "y", "sources": "arms"})
    assert [path.name for path in (folder / "stale").rglob("*.txt")] == ["old.txt"]


def test_commands_are_quoted_and_have_the_overrides(tmp_path: Path, write_grid: Any) -> None:
    folder = write_grid(tmp_path / "it's mine")
    (source,) = find_sources(folder, overrides={"data.root": "/my data"})
    part = PARTS.build({"type": "Dilution", "cells": ["sparse+dense", "none"]})
    command = part.command(source, tmp_path / "out")
    assert command.endswith("--set 'data.root=/my data'")
    parsed = measure_dilution._parser().parse_args(shlex.split(command)[2:])
    assert (parsed.folder, parsed.cells) == (folder, ["sparse+dense", "none"])


@pytest.mark.parametrize("number", range(len(load_recipe("paper").parts)))
def test_every_printed_command_is_one_of_ours(
    number: int, tmp_path: Path, write_grid: Callable[..., Path]
) -> None:
    node, part = load_recipe("paper").parts[number]
    folder = tmp_path / "some"
    if part.reads == "grid":
        write_grid(folder)
    else:
        folder.mkdir()
        (folder / "sweep.json").write_text("{}")
    (source,) = find_sources(folder)
    place = part.place(source, tmp_path / "out")
    said = shlex.split(part.command(source, place))
    tool = import_module(f"auralsam2_tools.{said[1].replace('-', '_')}")
    parsed = tool._parser().parse_args(said[2:])
    assert parsed.out == (tmp_path / "out" if part.tool == "make-paper" else place)
