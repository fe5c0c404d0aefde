"""What a paper's folder says of itself, written and read back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.paper.manifest import EMPTY, MADE, Entry, read_entries, write_manifest
from analysis.paper.part import load_recipe
from analysis.paper.source import Source, file_digest, find_sources


@pytest.fixture
def source(tmp_path: Path, write_grid: Callable[..., Path]) -> Source:
    (found,) = find_sources(write_grid(tmp_path / "arms", {"only": 0.5}, seeds=(0,)))
    return found


def made(folder: Path) -> Entry:
    (folder / "a b.txt").write_text("text")
    files = {"a b.txt": file_digest(folder / "a b.txt")}
    return Entry("Note", "arms", MADE, {"type": "Note"}, "auralsam2 x", "k", files, ["mind it"])


def test_entries_are_read_back_those_of_earlier_calls_too(source: Source, tmp_path: Path) -> None:
    entry = made(tmp_path)
    nothing = Entry("Other", "arms", EMPTY, {}, "", "l", reason="no scores")
    write_manifest(tmp_path, load_recipe(), [source], [entry], ["b: gone"], earlier=[nothing])
    assert read_entries(tmp_path) == {("arms", "k"): entry, ("arms", "l"): nothing}
    text = (tmp_path / "manifest.md").read_text()
    for line in ("- b: gone", "### Note: made", "- [a b.txt](<a%20b.txt>)", "- note: mind it"):
        assert f"\n{line}\n" in text
    assert "| only | 0    |" in text and "Other" not in text


@pytest.mark.parametrize(
    "change",
    [
        lambda held: held.update(schema=99),
        lambda held: held.pop("earlier"),
        lambda held: held["parts"][0].update(stranger=1),
    ],
)
def test_what_cannot_be_read_counts_for_nothing(
    change: Callable[[dict], object], source: Source, tmp_path: Path
) -> None:
    path, _ = write_manifest(tmp_path, load_recipe(), [source], [made(tmp_path)])
    held = json.loads(path.read_text())
    change(held)
    path.write_text(json.dumps(held))
    assert read_entries(tmp_path) == {} == read_entries(tmp_path / "none")


def test_an_entry_is_whole_while_its_files_are_as_they_were(tmp_path: Path) -> None:
    entry = made(tmp_path)
    assert entry.is_whole(tmp_path) and entry.changed(tmp_path) == []
    entry.lost = ["weights gone"]
    assert not entry.is_whole(tmp_path)
    (tmp_path / "a b.txt").write_text("scribble")
    assert entry.changed(tmp_path) == ["a b.txt"]
    assert not Entry("Note", "arms", EMPTY, {}, "", "k").is_whole(tmp_path)
