from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.claims.file import Claims, load_claims
from analysis.report import ReportOptions, write_report
from analysis.report.claims import section
from analysis.runs.results import Results, load_runs

CLAIMS = """
title = "Mine <b>"
claims = [
    dict(type="Beats", sentence="Up is <i>up</i>", cell="up", other="b"),
    dict(type="Beats", sentence="Same is up", cell="same", other="b"),
    dict(type="Beats", sentence="Gone is up", cell="gone", other="b"),
    dict(type="Beats", sentence="Elsewhere", cell="up", other="b", grids="far"),
]
"""


@pytest.fixture
def results(planted: Callable[..., Path]) -> Results:
    return load_runs(planted({"up": 0.05, "same": 0.0}))


@pytest.fixture
def claims(tmp_path: Path) -> Claims:
    (tmp_path / "mine.py").write_text(CLAIMS)
    return load_claims(str(tmp_path / "mine.py"))


def test_a_section_has_the_claims_about_the_grid(results, claims, tmp_path: Path) -> None:
    found = section(results, claims, tmp_path)
    assert found is not None and found.title == "Mine <b>"
    entries = {row[0].text: row[1] for row in found.table.rows}
    assert [entry.text for entry in entries.values()] == ["supported", "undecided"]
    assert [entry.best for entry in entries.values()] == [True, False]
    assert found.table.rows[0][2].value == pytest.approx(0.05, abs=0.01)
    assert found.footnote.startswith("3 claims: 1 supported, 0 contradicted, 1 undecided, 1 not")
    assert "over the 4 claims of the file" in found.footnote
    assert any("unknown cell with a finished run 'gone'" in note for note in found.notes)
    assert "1 claims of 'mine' are about other grids" in found.notes
    assert list(found.downloads) == ["claims.md", "claims.tex", "claims.json"]
    content = base64.b64decode(found.downloads["claims.json"].partition("base64,")[2])
    assert json.loads(content)["family"] == 4


def test_no_section_without_claims(results, claims, tmp_path: Path) -> None:
    assert section(results, None, tmp_path) is None
    elsewhere = replace(claims, claims=claims.claims[3:])
    assert section(results, elsewhere, tmp_path) is None


def test_the_index_shows_it(results, claims, tmp_path: Path) -> None:
    options = ReportOptions(num_clips=0, figures=tmp_path / "none", claims=claims)
    index, *_ = write_report(results, tmp_path, tmp_path / "report", options)
    page = index.read_text()
    assert '<a href="#claims">Claims</a>' in page and '<section id="claims"' in page
    assert "Up is &lt;i&gt;up&lt;/i&gt;" in page and "Mine &lt;b&gt;" in page
    assert "<b>supported</b>" in page and "undecided" in page
