from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from analysis.options import add_measuring, measuring, name_problems, tell
from auralsam2.config import parse_overrides

KNOWN = ("swapped", "silence")


def test_names_that_are_known_or_not_asked_for() -> None:
    assert name_problems("sound", ("silence",), KNOWN) == []
    assert name_problems("sound", None, KNOWN) == []


def test_what_is_wrong_and_what_is_known() -> None:
    first, second = name_problems("sound", ["swaped", "silence", "x"], iter(KNOWN))
    assert first == "unknown sound 'swaped'; did you mean 'swapped'? known: silence, swapped"
    assert second.startswith("unknown sound 'x'")
    assert name_problems("sound", [], KNOWN) == ["name one sound at least; known: swapped, silence"]


def test_a_text_is_no_list_of_letters() -> None:
    assert name_problems("sound", "silence", KNOWN) == [
        "sounds must be a list of names, got the text 'silence'; write ['silence']"
    ]


def test_what_is_measured_is_told_alike_by_every_tool(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    add_measuring(parser, "those to measure")
    said = "--cells a b --again --max-clips 2 --set data.root=/x"
    options = parser.parse_args([str(tmp_path), *said.split()])
    how = measuring(options, "reading")
    assert list(how.pop("track")([1, 2])) == [1, 2]
    overrides = parse_overrides(["data.root=/x"])
    assert how == {"cells": ["a", "b"], "again": True, "overrides": overrides}
    assert (options.split, options.max_clips, options.out) == ("test", 2, None)


def test_notes_stand_before_paths(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tell(["mind it"], [tmp_path])
    tell([], [])
    assert capsys.readouterr().out == f"note: mind it\n{tmp_path}\n"
