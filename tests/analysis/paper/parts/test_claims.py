from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.paper.part import PARTS, NothingToShow, load_recipe
from analysis.paper.source import Source, find_sources

CLAIMS = "claims = [dict(type='Beats', sentence='s', cell='sparse', other='none', grids='{}')]\n"


@pytest.fixture
def source(tmp_path: Path, write_grid: Callable[..., Path]) -> Source:
    (found,) = find_sources(write_grid(tmp_path / "arms"))
    return found


def test_nothing_to_show_where_no_claim_is_about_the_grid(source: Source, tmp_path: Path) -> None:
    with pytest.raises(NothingToShow, match="no claims are about it"):
        PARTS.build(dict(type="Claims")).make(source, tmp_path / "out")


def test_claims_beside_the_recipe_are_judged_and_named(source: Source, tmp_path: Path) -> None:
    folder = tmp_path / "paper"
    folder.mkdir()
    (folder / "claims.py").write_text(CLAIMS.format("a*"))
    (folder / "recipe.py").write_text("parts = [dict(type='Claims'), dict(type='Report')]")
    (_, part), (_, page) = load_recipe(str(folder / "recipe.py")).parts
    made = part.make(source, tmp_path / "out")
    assert [path.name for path in made.paths] == ["claims.md", "claims.tex", "claims.json"]
    assert json.loads(made.paths[-1].read_text())["verdicts"][0]["answer"] in (
        "supported",
        "undecided",
    )
    for own in (part, page):
        assert own.inputs(source, tmp_path / "out") == [folder / "claims.py"]
        assert own.arguments(source, tmp_path / "out")[-2:] == [
            "--claims",
            str(folder / "claims.py"),
        ]


def test_claims_of_other_grids_are_left_to_them(source: Source, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(CLAIMS.format("far"))
    part = PARTS.build(dict(type="Claims", claims=str(tmp_path / "own.py")))
    assert part.asserted(source) is None
