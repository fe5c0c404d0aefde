from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.runs.reported import ReportedRow
from analysis.runs.results import load_runs
from analysis.tables import make_table, to_latex
from analysis.tables.latex_text import escape

ANALYSIS = Path(__file__).resolve().parents[3] / "analysis"
SCORES = {("a", 0): 0.2, ("a", 1): 0.4, ("b", 0): 0.5, ("b", 1): 0.8}
NASTY = '100% a_b & #1 {x} ~ ^ $\\alpha \\input{x} ± × → ≤ | <é ü ø> "q" 漢字 😀 \u200b\t\nend'
PAPER = ReportedRow(
    NASTY, "A. Author & Söhne, 50% \\LaTeX", "Table_2", "V1M | J", {("test", "J"): 0.9}
)


def test_entries_headers_and_rules(exact) -> None:
    table = make_table(load_runs(exact({("x_1", 0): 0.2, **SCORES})), difference=True)
    text = to_latex(table)
    for part in (
        r"\toprule",
        r"\midrule",
        r"\bottomrule",
        "test, audio swapped",
        r"\cmidrule(lr){2-2}",
        r"x\_1",
        r"0.300 $\pm$ 0.141",
        r"\textbf{0.650 $\pm$ 0.212}",
        r"\caption{A \& B\_c}",
        r"\label{tab:a-b-c}",
        "a & $-$0.350",
        "b & --",
        "test vs b",
    ):
        assert part in text, part
    assert "±" not in text and "–" not in text and "cell &" not in text
    assert text.count(r"\begin{tabular}") == 2


def test_one_split_needs_no_heading(exact) -> None:
    text = to_latex(make_table(load_runs(exact(SCORES)), scores=["test:J"]))
    assert " & J & seeds \\\\" in text and "cmidrule" not in text


def test_marks_and_intervals(planted) -> None:
    for seeds, mark in ((1, r"$^{\dagger}$"), (5, r"$^{*}$")):
        results = load_runs(planted({"up": 0.05}, num_seeds=seeds))
        text = to_latex(make_table(results, significance=True, spread="interval"))
        row = next(line for line in text.splitlines() if line.startswith("up &"))
        assert f"]}}{mark} & {seeds}" in row and "[0." in row


def test_the_float_is_as_wide_as_its_columns(grid_folder: Path) -> None:
    results = load_runs(grid_folder)
    narrow = to_latex(make_table(results, scores=["test:J"]))
    wide = to_latex(make_table(results, spread="interval", columns=["params"]))
    assert r"\begin{table}[t]" in narrow and r"\tabcolsep" not in narrow
    assert r"\begin{table*}[t]" in wide and r"\tabcolsep" in wide


def test_cells_of_two_axes_are_grouped(write_grid, typeset, tmp_path: Path) -> None:
    from auralsam2.engine import run_record

    names = [(fusion, depth) for fusion in ("film", "none") for depth in ("1", "2")]
    folder = write_grid(tmp_path / "g", {f"{f}, {d}": 0.5 for f, d in names}, reference=None)
    for path in folder.rglob("record.json"):
        record = run_record.read(path)
        record.axes = dict(zip(("fusion_type", "depth"), record.name.split(", "), strict=True))
        run_record.write(record, path.parent)
    text = to_latex(make_table(load_runs(folder), reported=[PAPER]))
    assert text.count(r"\multirow[c]{2}{*}{") == 2 and r"fusion\_type & depth" in text
    typeset(text)


def test_long_levels_of_any_axis_are_broken(grid_of, typeset) -> None:
    levels = ["a level " * 8, "b"]
    results = grid_of({"axis": ["x", "y"], "other": levels}, lambda *_: 0.5)
    text = to_latex(make_table(results, difference=True))
    assert text.count(r"\begin{tabular}{lp{0.2\linewidth}") == 2
    typeset(text)
    long_first = grid_of({"axis": levels, "other": ["x", "y"]}, lambda *_: 0.5)
    text = to_latex(make_table(long_first))
    assert r"\begin{tabular}{p{0.2\linewidth}l" in text and r"\multirow" not in text
    typeset(text)


def test_rows_of_other_papers_stand_apart(exact) -> None:
    text = to_latex(make_table(load_runs(exact(SCORES)), difference=True, reported=[PAPER]))
    head = r"\multicolumn{4}{l}{\emph{reported, not measured}} \\"
    lines = text.splitlines()
    at = lines.index(head)
    assert lines[at - 1] == r"\midrule" and lines[at + 2] == r"\bottomrule"
    assert "(reported) & 0.900 & -- & --" in lines[at + 1]
    assert text.count("(reported)") == 1
    assert r"Reported, not measured: 100\% a\_b" in text and r"A. Author \& S\"{o}hne" in text


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("*", "{}*"),
        ("50% of a_b & #1", r"50\% of a\_b \& \#1"),
        ("$x^2$ {~}", r"\$x\textasciicircum{}2\$ \{\textasciitilde{}\}"),
        ("a\\b|c<d", r"a\textbackslash{}b\textbar{}c\textless{}d"),
        ("±1 – é ñ Å", r"$\pm$1 -- \'{e} \~{n} \r{A}"),
        ("β ﬁ ½", r"$\beta$ fi [U+00BD]"),
        ("漢\n字", "{}[U+6F22] [U+5B57]"),
    ],
)
def test_escaping(text: str, escaped: str) -> None:
    assert escape(text) == escaped


def test_escaped_text_is_ascii() -> None:
    assert escape("".join(map(chr, range(0x2FFF)))).isascii()


def test_it_compiles_whatever_the_names(exact, typeset) -> None:
    scores = {(NASTY, seed): 0.2 + seed / 10 for seed in (0, 1, 2)}
    scores |= {("b", seed): 0.5 + seed / 20 for seed in (0, 1, 2)}
    for name in "%_&#{}~^$\\|<>\"'`@!*+-[]±×→µß漢":
        scores[(name, 0)] = 0.1
    results = load_runs(exact(scores, title=NASTY, code_version=NASTY))
    results.notes.append(NASTY)
    table = make_table(
        results,
        difference=True,
        significance=True,
        spread="interval",
        columns=["params", "fps"],
        reported=[PAPER],
    )
    typeset(to_latex(table))


@pytest.mark.parametrize("name", ["漢" * 20, "n" * 60, "one of many words " * 4, "漢" * 5])
def test_a_long_name_of_the_reference_stays_on_the_page(exact, name: str, typeset) -> None:
    scores = {("b", 0): 0.2, (name.strip(), 0): 0.3}
    results = replace(load_runs(exact(scores)), reference=name.strip())
    typeset(to_latex(make_table(results, difference=True)))


def test_no_label_is_the_same_for_every_grid() -> None:
    """A paper that has two grids' tables would define it twice."""
    sources = [path.read_text(encoding="utf-8") for path in ANALYSIS.rglob("*.py")]
    nodes = [node for source in sources for node in ast.walk(ast.parse(source))]
    calls = [n for n in nodes if isinstance(n, ast.Call) and ast.unparse(n.func) == "table_file"]
    labels = [k.value for call in calls for k in call.keywords if k.arg == "label"]
    assert len(labels) == len(calls) >= 6
    assert not any(isinstance(label, ast.Constant) for label in labels)
