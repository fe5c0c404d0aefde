from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from analysis.runs.reported import ReportedRow
from analysis.runs.results import load_runs
from analysis.tables import make_table, to_markdown, to_rich

SCORES = {("a", 0): 0.2, ("a", 1): 0.4, ("b", 0): 0.5, ("b", 1): 0.8}
PAPER = ReportedRow(
    "Other|Method", "A. Author, Venue 2024", "Table 2", "V1M", {("test", "J"): 0.9, ("val", "J"): 1}
)


def rows_of(markdown: str) -> list[list[str]]:
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    return [[part.strip() for part in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def shown(rich: object, width: int = 80) -> str:
    console = Console(width=width, file=io.StringIO())
    console.print(rich)
    return console.file.getvalue()


def test_markdown(grid_folder: Path) -> None:
    results = load_runs(grid_folder)
    results.notes.append("boom, seed 0: failed: x")
    text = to_markdown(make_table(results))
    header, _, *rows = rows_of(text)
    assert header == ["cell", "J", "F", "J, audio swapped", "F, audio swapped", "seeds"]
    assert len(rows) == 4 and {len(row) for row in rows} == {6}
    assert [entry.startswith("**") for entry in rows[3]] == [False, True, True] + [False] * 3
    assert "**" not in "".join(map("".join, rows[:3]))
    assert text.startswith("**Audio prompts of a frozen SAM2**\n\n| cell")
    assert "6 clips of test," in text and "8 runs, data dddddddddd, code 0.1.0+abc" in text
    assert text.endswith("Notes:\n\n- boom, seed 0: failed: x\n")


def test_entries_and_differences(exact) -> None:
    scores = {("a", 0): 0.2, ("b", 0): 0.5, ("b", 1): 0.6}
    _, _, *rows = rows_of(to_markdown(make_table(load_runs(exact(scores)), difference=True)))
    assert [row[1] for row in rows] == ["0.200", "**0.550 ± 0.071**"]
    assert [row[-2:] for row in rows] == [["1", "-0.300"], ["2", "–"]]


def test_marks_say_how_much_a_difference_holds_for(planted) -> None:
    for seeds, mark in ((1, "†"), (5, r"\*")):
        results = load_runs(planted({"up": 0.05, "same": 0.0}, num_seeds=seeds))
        table = make_table(results, difference=True, significance=True)
        header, _, b, up, same = rows_of(to_markdown(table))
        assert header[-1] == "J vs b"
        assert up[1].endswith(mark) and up[-1].endswith(f"]{mark}")
        assert re.fullmatch(rf"\+0\.0\d\d \[\+0\.0\d\d, \+0\.0\d\d\]{re.escape(mark)}", up[-1])
        assert b[1][-1].isdigit() and same[1][-1].isdigit() and same[-1].endswith("]")


def test_intervals_stand_behind_means(planted) -> None:
    results = load_runs(planted({"up": 0.05}))
    _, _, b, up = rows_of(to_markdown(make_table(results, spread="interval")))
    assert re.fullmatch(r"0\.\d{3} \[0\.\d{3}, 0\.\d{3}\]", b[1])
    assert re.fullmatch(r"\*\*0\.\d{3} \[0\.\d{3}, 0\.\d{3}\]\*\*", up[1])


def test_several_base_splits_are_named(exact) -> None:
    held = {"test_s": {"J": {"x": 0.5}}, "test_u_audio_silence": {"J": {"x": 0.4}}}
    header = rows_of(to_markdown(make_table(load_runs(exact({("b", 0): held})))))[0]
    assert header == ["cell", "test s J", "test u muted J", "seeds"]


def test_rows_of_other_papers_are_marked_and_never_best(exact) -> None:
    table = make_table(load_runs(exact(SCORES)), reported=[PAPER], difference=True)
    text = to_markdown(table)
    last = rows_of(text)[-1]
    assert last == [r"Other\|Method (reported, not measured)", "0.900", "–", "–", "–"]
    assert "**0.650 ± 0.212**" in text
    assert r"- reported, not measured: Other\|Method: A. Author, Venue 2024, Table 2;" in text
    assert "(reported, not" in shown(to_rich(table))
    assert "reports no score" not in text
    stranger = PAPER._replace(scores={("val", "J"): 0.9})
    text = to_markdown(make_table(load_runs(exact(SCORES)), reported=[stranger]))
    assert "reports no score that is shown" in text


def test_names_cannot_break_the_markdown(exact) -> None:
    scores = {("a|b`*\n<script>", 0): 0.2, ("c\\|d", 0): 0.3}
    text = to_markdown(make_table(load_runs(exact(scores, None, title="<b>| *x*"))))
    _, _, first, second = rows_of(text)
    assert first[0] == r"a\|b\`\* \<script>" and len(first) == len(second) == 4
    assert text.startswith(r"**\<b>\| \*x\***")


@pytest.mark.parametrize("spread", ["std", "interval"])
def test_a_terminal_of_80_columns_is_enough(grid_folder: Path, spread: str) -> None:
    results = load_runs(grid_folder)
    table = make_table(
        results,
        difference=True,
        significance=True,
        spread=spread,
        columns=["params", "fps"],
    )
    lines = shown(to_rich(table)).splitlines()
    assert max(map(len, lines)) <= 80 and "…" not in "".join(lines)
    number = r"0\.\d{3}±0\.\d{3}" if spread == "std" else r"0\.\d{3} \[0\.\d{3}, 0\.\d{3}\]"
    assert len(re.findall(number, "\n".join(lines))) == 4 * 4
    assert sum(line.strip().startswith("sparse+dense") for line in lines) >= 3
