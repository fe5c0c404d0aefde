"""Parts of tables, figures and pages; what they write is tested with those."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.paper.part import PARTS, NothingToShow
from analysis.paper.source import Source, find_sources


@pytest.fixture
def source(tmp_path: Path, write_grid: Callable[..., Path]) -> Source:
    (found,) = find_sources(write_grid(tmp_path / "arms", {"only": 0.5}))
    return found


@pytest.mark.parametrize(
    ("node", "why"),
    [
        (dict(type="TrainingCurves"), "no training curves of only: no log is left"),
        (dict(type="Qualitative"), "no run has saved predictions"),
        (dict(type="ClickCurves"), "no run was clicked on; set evaluation.clicks"),
        (dict(type="ClickTable"), "no run was clicked on; set evaluation.clicks"),
        (dict(type="ScoreTable", difference=True), "no differences: there is one cell"),
    ],
)
def test_nothing_to_show_says_why(node: dict, why: str, source: Source, tmp_path: Path) -> None:
    with pytest.raises(NothingToShow, match=why):
        PARTS.build(node).make(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_table_without_a_reference_says_what_was_not_tested(
    source: Source, tmp_path: Path
) -> None:
    made = PARTS.build(dict(type="ScoreTable")).make(source, tmp_path)
    assert "nothing is tested for significance: there is one cell" in made.notes
    assert {path.name for path in made.paths} >= {"results.csv", "table.md", "table.tex"}


def test_pages_depend_on_the_figures_beside_them(source: Source, tmp_path: Path) -> None:
    (tmp_path / "drawn").mkdir()
    (tmp_path / "drawn" / "a.png").touch()
    for name in ("Report", "SweepPage"):
        part = PARTS.build(dict(type=name, figures="drawn"))
        assert part.inputs(source, tmp_path / "report") == [tmp_path / "drawn" / "a.png"]
        assert part.place(source, tmp_path) == tmp_path / "arms" / "report"
