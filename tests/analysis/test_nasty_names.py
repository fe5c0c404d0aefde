"""Every table and page with names that mean something to its format: they stand there literally."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pandas as pd
import pytest

from analysis.dilution import table as dilution_table
from analysis.embeddings import table as embedding_table
from analysis.embeddings.points import RunPoints
from analysis.paper.manifest import _code
from analysis.report import ReportOptions, embedded_figures, write_report
from analysis.report.write import page_names
from analysis.runs.results import Results, load_runs, write_csv
from analysis.tables import make_table, to_latex, to_markdown, to_rich, write_tables
from analysis.tables.latex_text import escape
from analysis.tables.text import escape_markdown
from auralsam2.text_files import as_written
from tests.analysis.report.test_write import Elements

# LaTeX's own signs, each of which the text has to protect.
UNPROTECTED = re.compile(r"(?<!\\)[%&#_]|(?<![\\$])\^|~(?!\{)")


@pytest.fixture
def results(nasty_grid: Callable[..., Path]) -> Results:
    return load_runs(nasty_grid(metrics=("a|b", "$5", "_m")))


@pytest.fixture
def plain(nasty_names: tuple[str, ...]) -> list[str]:
    """The names as a line of text, with what UTF-8 has not as it is written."""
    return [as_written(" ".join(name.split())) for name in nasty_names]


def squash(text: str) -> str:
    return re.sub(r"\s", "", text)


def test_csv_gives_every_name_back(
    results: Results, nasty_names: tuple[str, ...], tmp_path: Path
) -> None:
    table = make_table(results, difference=True, significance=True)
    paths = [write_csv(results, tmp_path / "results.csv"), *write_tables(table, tmp_path)]
    tables = [path for path in paths if path.suffix == ".csv"]
    assert [path.name for path in tables] == ["results.csv", "table.csv", "table.comparison.csv"]
    for path in tables:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        named = {row["cell"] for row in rows}
        compared = path.name == "table.comparison.csv"
        assert named == {as_written(n) for n in nasty_names[int(compared) :]}
        assert {row["metric"] for row in rows} == {"a|b", "$5", "_m"}


def test_markdown_shows_every_name_in_a_cell_of_its_own(results: Results, plain: list[str]) -> None:
    text = to_markdown(make_table(results, difference=True))
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines]
    assert {len(row) for row in rows} == {len(rows[0])}
    shown = [unescaped(row[0].strip()) for row in rows[2:]]
    assert [as_written(name) for name in shown] == plain
    for row in rows[2:]:
        assert not re.search(r"(?<!\\)[`*$]", row[0]) and not re.search(r"(?<!\\)<[a-z]", row[0])


def unescaped(text: str) -> str:
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("_ours_ and __x__", r"\_ours\_ and \_\_x\_\_"),
        ("test_s a_b^c", "test_s a_b^c"),
        ("$5 and $6", r"\$5 and \$6"),
        ("[t](u) [1, 2]", r"[t\](u) [1, 2]"),
        ("# h, ~~x~~", r"\# h, \~~x\~~"),
        ("a&lt;b & c", r"a\&lt;b & c"),
    ],
)
def test_markdown_escapes(text: str, escaped: str) -> None:
    assert escape_markdown(text) == escaped


def test_latex_has_every_name_and_no_sign_of_its_own(
    results: Results, nasty_names: tuple[str, ...]
) -> None:
    text = to_latex(make_table(results, difference=True))
    assert text.isascii()
    body = text[text.index(r"\begin{tabular}") : text.index(r"\par\smallskip")]
    for name in nasty_names:
        assert escape(name) in body
    assert max(map(len, re.split(r"[\s{}\\]", body))) < 60, "a word that no column could break"
    for line in body.splitlines():
        bare = re.sub(r"\\\\$|\$[^$]*\$|(?<!\\)&(?= )|\{[lcrp@]+\}", "", line)
        assert not UNPROTECTED.search(bare), line


def test_a_terminal_shows_every_name(results: Results, plain: list[str]) -> None:
    from rich.console import Console

    out = io.StringIO()
    console = Console(file=out, width=4000, markup=False, emoji=False)
    console.print(to_rich(make_table(results), 4000))
    shown = squash(as_written(out.getvalue()))
    for name in plain:
        if "\x1b" not in name:  # rich keeps a name from steering the terminal
            assert squash(name) in shown


def test_tables_of_attention_and_embeddings(plain: list[str], tmp_path: Path) -> None:
    rows = {"arm": plain, "seed": "all", "index": "D1", "condition": "true", "value": 0.5}
    rest = {"low": 0.4, "high": 0.6, "first": 1.0, "final": 0.5, "num_clips": 3}
    tables = dilution_table.write(pd.DataFrame({**rows, **rest}), tmp_path)
    keys = ["cell", "seed", "space", "level", "num_clips", *embedding_table.COMPANIONS]
    listed = [
        (name, 0, "projected", 0, 3, *[0.5] * len(embedding_table.COMPANIONS)) for name in plain
    ]
    tables += embedding_table.write(
        pd.DataFrame(listed, columns=keys),
        tmp_path,
        0,
        RunPoints(split="$c_1%"),
    )
    for path in tables:
        text = path.read_text(encoding="utf-8")
        for name in plain:
            if path.suffix == ".csv":
                held = csv.reader(io.StringIO(text))
                assert any(name in row for row in held), (path, name)
            else:
                wanted = escape(name) if path.suffix == ".tex" else escape_markdown(name)
                assert wanted in text, (path, name)


def test_every_page_shows_every_name_and_its_links_lead_somewhere(
    nasty_grid: Callable[..., Path], nasty_names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_figures, "draw_missing", lambda *_: None)
    folder = nasty_grid(nasty_names, nasty_names[:3])
    results = load_runs(folder)
    pages = write_report(results, folder, folder / "out", ReportOptions(num_clips=0))
    assert len(pages) == len(nasty_names) + 1
    index = Elements(pages[0])
    for name in nasty_names:
        assert squash(as_written(name)) in squash(index.text)
    assert not {tag for tag, _ in index.found} & {"x", "b\\", "img"}
    for path, name in zip(pages[1:], nasty_names):
        page = Elements(path)
        assert squash(as_written(name)) in squash(page.text)
        for link in (str(a["href"]) for a in page.of("a")):
            if not link.startswith(("#", "data:")):
                assert (path.parent / unquote(link)).resolve() in pages


def test_pages_of_cells_have_names_that_every_file_system_keeps_apart(
    nasty_names: tuple[str, ...],
) -> None:
    cells = [*nasty_names, "Ours", "ours", "CON", "aux.txt", "a" * 300, "a" * 301]
    files = list(page_names(cells).values())
    assert len({name.lower() for name in files}) == len(cells)
    for name in files:
        assert re.fullmatch(r"\d+-[a-z0-9-]*\.html", name) and len(name) < 60


def test_a_manifest_s_lines_stay_lines(nasty_names: tuple[str, ...]) -> None:
    for name in nasty_names:
        for said in (escape_markdown(name), _code(name)):
            assert "\n" not in said and not re.search(r"(?<!\\)\|", said)
