"""The page on grids: every example is run, every shipped grid is listed with its question."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ablations.grids.file import load_grid, shipped_grids
from ablations.grids.plan import make_plan

PAGE = Path(__file__).resolve().parents[2] / "docs" / "grids.md"
EXAMPLES = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE.read_text("utf-8"), re.S)


def test_every_example_has_its_cells() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert len(EXAMPLES) == text.count("```python") == text.count("```text") > 5


@pytest.mark.parametrize(("stated", "listed"), EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_gives_the_cells_below_it(stated: str, listed: str, tmp_path: Path) -> None:
    path = tmp_path / "my_grid.py"
    path.write_text(stated, encoding="utf-8")
    grid = load_grid(str(path))
    assert [cell.name for cell in grid.cells(seeds=[0])] == listed.splitlines()
    plan = make_plan(grid, check=lambda cfg: None, fingerprint=lambda cfg: "data")
    assert plan.problems == [] and plan.notes == []


def test_the_table_lists_every_shipped_grid() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in PAGE.read_text(encoding="utf-8").partition("## Shipped grids")[2].splitlines()
        if re.match(r"\| (`\w+`)? ?\|", line)
    ]
    questions = shipped_grids()
    listed = [name.strip("`") for row in rows for name in row[:2] if name]
    assert sorted(listed) == sorted(questions)
    for real, small, question, cells in rows:
        names = [name.strip("`") for name in (real, small) if name]
        assert question == questions[names[0]]
        counts = [str(len(load_grid(name).cells(seeds=[0]))) for name in names]
        assert cells == ", ".join(dict.fromkeys(counts))
