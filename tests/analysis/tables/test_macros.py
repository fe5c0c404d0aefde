"""Macros print what the tables print, and never nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.runs.results import load_runs
from analysis.tables.layout import Notation, lay_out
from analysis.tables.macros import (
    MINUS,
    PLUS,
    Asked,
    Style,
    asked_macro,
    automatic_macros,
    check_names,
    write_macros,
)
from analysis.tables.make import make_table
from analysis.tables.numbers import Numbers

TEST = dict(split="test", metric="J")


@pytest.fixture
def numbers(write_grid: Callable[..., Path], tmp_path: Path) -> Numbers:
    results = load_runs(write_grid(tmp_path / "arms", seeds=(0, 1, 2)))
    return Numbers(results, columns=("params",))


def automatic(numbers: Numbers, style: Style | None = None) -> dict[str, str]:
    macros = list(automatic_macros(numbers, "aural", {"sparse+dense": "Both"}, style or Style()))
    check_names(macros)
    return {macro.name: macro.text for macro in macros}


def test_macros_and_the_table_print_the_same(numbers: Numbers) -> None:
    texts = automatic(numbers)
    made = make_table(
        numbers.results, difference=True, significance=True, spread="interval", columns=["params"]
    )
    layout = lay_out(made, Notation(minus=MINUS, plus=PLUS))
    heads = {"J": "J", "F": "F", "J, audio swapped": "JSwapped", "F, audio swapped": "FSwapped"}
    heads |= {f"{m} vs sparse+dense": m for m in "JF"}
    called = {"none": "None", "sparse": "Sparse", "dense": "Dense", "sparse+dense": "Both"}
    compared = 0
    for row in layout.rows:
        for header, entry in zip(layout.headers, row.entries, strict=True):
            if header.flat not in heads or not entry.text.strip("–"):
                continue
            name = f"aural{heads[header.flat]}{called[row.name]}"
            name += "Difference" * header.difference
            assert entry.text == f"{texts[name]} {texts[f'{name}Interval']}"
            compared += 1
        assert texts[f"auralParams{called[row.name]}"] == row.entries[4].text
    assert compared == 4 * 4 + 3 * 2
    counts = {"auralCells": "4", "auralRuns": "12", "auralSeeds": "3", "auralClipsTest": "6"}
    assert counts.items() <= texts.items() and texts["auralReference"] == "sparse+dense"
    assert "auralJBothDifference" not in texts and all(texts.values())


def test_percent_has_the_digits_of_the_share(numbers: Numbers) -> None:
    shares, percent = automatic(numbers), automatic(numbers, Style(percent=True))
    for name in ("auralJDense", "auralJNoneDifference", "auralFSwappedSparse"):
        share, shown = (re.sub(r"\\ensuremath|[{}.+-]", "", t[name]) for t in (shares, percent))
        assert share.lstrip("0") == shown.lstrip("0")
    assert Notation(percent=True).number(0.00449, 3) == "0.4"
    # 0.0285 is a little more than its digits say, 2.85 a little less.
    assert Notation().number(0.0285, 3) == "0.029" and f"{100 * 0.0285:.1f}" == "2.9"
    assert Notation(percent=True).number(0.0285, 3) == "2.9"


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        (dict(), r"0\.\d{3}"),
        (dict(style=Style(percent=True, digits=0)), r"\d\d"),
        (dict(style=Style(digits=1)), r"0\.\d"),
        (dict(other=("none", "test"), show="difference"), r"\\ensuremath\{\+\}0\.\d{3}"),
        (
            dict(other=("none", "test"), show="difference", style=Style(sign="never")),
            r"0\.\d{3}",
        ),
        (
            dict(show="interval", style=Style(interval="{low} to {high}")),
            r"0\.\d{3} to 0\.\d{3}",
        ),
        (dict(show="seeds"), "3"),
        (dict(show="clips"), "6"),
        (dict(other=("none", "test"), show="p"), r"\\ensuremath\{p [<=] 0\.\d{3}\}"),
        (dict(other=("none", "test"), show="words", words=("up", "down", "even")), "up"),
        (
            dict(cell="none", other=("dense", "test"), show="words", words=("up", "down", "even")),
            "down",
        ),
    ],
)
def test_what_is_asked_for(numbers: Numbers, asked: dict, text: str) -> None:
    made = asked_macro("x", Asked(**{"cell": "dense", **TEST, **asked}), numbers)
    assert re.fullmatch(text, made.text), made.text


def test_words_are_the_third_where_nothing_is_significant(planted) -> None:
    numbers = Numbers(load_runs(planted({"alike": 0.0, "more": 0.05})))
    for cell, text in (("alike", "even"), ("more", "up")):
        asked = Asked(cell, **TEST, other=("b", "test"), show="words", words=("up", "down", "even"))
        assert asked_macro("x", asked, numbers).text == text


def test_an_interval_that_is_not_known_is_an_error(exact) -> None:
    numbers = Numbers(load_runs(exact({("a", 0): 0.2, ("b", 0): 0.5})))
    with pytest.raises(ValueError, match="of a single clip nothing can be said"):
        asked_macro("x", Asked("a", **TEST, show="interval"), numbers)
    assert "auralJAInterval" not in automatic_names(numbers)
    assert "auralJADifference" in automatic_names(numbers)


def automatic_names(numbers: Numbers) -> list[str]:
    return [macro.name for macro in automatic_macros(numbers, "aural", {}, Style())]


def test_what_is_no_share_has_no_percent(exact) -> None:
    scales = {"J": dict(higher_is_better=True, bounds=None, subject="object")}
    numbers = Numbers(load_runs(exact({("a", 0): 0.2, ("b", 0): 0.5}, scales=scales)))
    with pytest.raises(ValueError, match="J does not go from 0 to 1"):
        asked_macro("x", Asked("a", **TEST, style=Style(percent=True)), numbers)


def test_two_cells_of_one_name_are_an_error_that_names_both(exact) -> None:
    numbers = Numbers(load_runs(exact({("x+y", 0): 0.2, ("x/y", 0): 0.5}, reference=None)))
    with pytest.raises(ValueError, match=r"\\auralJXY would stand for .*x\+y.* and for .*x/y"):
        check_names(list(automatic_macros(numbers, "aural", {}, Style())))
    check_names(list(automatic_macros(numbers, "aural", {"x/y": "Other"}, Style())))


def test_the_files_say_what_stands_behind(numbers: Numbers, tmp_path: Path) -> None:
    gain = asked_macro("auralGain", Asked("dense", **TEST, other=("none", "test")), numbers)
    tex, listed = write_macros([gain], numbers, tmp_path)
    (line,) = [text for text in tex.read_text().splitlines() if text.startswith("\\newcommand")]
    assert line.startswith(f"\\newcommand{{\\auralGain}}{{{gain.text}}} % ")
    content = json.loads(listed.read_text())
    own = content["macros"]["auralGain"]
    assert own["text"] == gain.text and own["low"] < own["value"] < own["high"]
    assert [term["cell"] for term in own["terms"]] == ["dense", "none"]
    assert own["terms"][0]["split"] == "test" and own["terms"][0]["metric"] == "J"
    assert len(own["runs"]) == 6 and content["runs"].keys() >= {*own["runs"]}
    assert (own["num_seeds"], own["num_clips"]) == (3, 6)
