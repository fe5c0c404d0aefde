from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

CLAIMS = """
title = "Mine"
claims = [
    dict(type="Beats", sentence="Both beat none", cell="both", other="none"),
    dict(type="ListensBy", sentence="Both listen", cell="both", by=0.1),
    {more}
]
"""
WRONG = 'dict(type="Beats", sentence="None beats both", cell="none", other="both"),'
OPEN = 'dict(type="Beats", sentence="Both beats too", cell="both", other="too"),'
ELSEWHERE = 'dict(type="Beats", sentence="Far", cell="a", other="b", grids="far*"),'


@pytest.fixture
def grid(exact: Callable[..., Path], tmp_path: Path) -> Path:
    """A grid of three cells and one seed: `too` is hardly worse than `both`."""
    rng = np.random.default_rng(0)
    held = {}
    for cell, level in {"none": 0.25, "both": 0.75, "too": 0.745}.items():
        levels = {"test": level, "test_audio_swapped": 0.2}
        held[cell, 0] = {
            split: {"J": {f"c{n}": own + rng.normal(0, 0.02) for n in range(12)}}
            for split, own in levels.items()
        }
    return exact(held, "none", folder=tmp_path / "grid")


@pytest.mark.parametrize(
    ("more", "status"),
    [("", 0), (WRONG, 1), (WRONG + ELSEWHERE + OPEN, 1), (OPEN, 3), (OPEN + ELSEWHERE, 4)],
)
def test_the_exit_status_tells_what_came_out(grid: Path, more: str, status: int, run) -> None:
    (grid / "claims.py").write_text(CLAIMS.format(more=more))
    shown = run("check-claims", grid, status=status)
    assert "Both beat none" in shown and "supported" in shown
    assert ("contradicted " in shown) == (status == 1)
    assert ("about a grid 'far*'" in shown) == (ELSEWHERE in more)
    assert ("more clips" in shown) == (OPEN in more)


def test_json_and_files_of_a_folder_of_grids(grid: Path, tmp_path: Path, run) -> None:
    (tmp_path / "some.py").write_text(CLAIMS.format(more=""))
    asked = [str(tmp_path), "--claims", str(tmp_path / "some.py"), "--out", str(tmp_path / "out")]
    printed = json.loads(run("check-claims", *asked, "--json", "--alpha", "0.01"))
    assert printed == json.loads((tmp_path / "out" / "claims.json").read_text())
    assert printed["alpha"] == 0.01 and list(printed["grids"]) == ["grid"]
    assert printed["grids"]["grid"][0]["run_dir"] == "grid/runs/0"


def test_without_claims_it_says_where_they_may_be(grid: Path, run) -> None:
    said = run("check-claims", grid, status=2)
    assert f"write {grid}/claims.py" in said and "auralsam2, paper_mini" in said


def test_a_level_that_cannot_be(grid: Path, run) -> None:
    asked = ["check-claims", str(grid), "--claims", "paper_mini", "--alpha", "0.5"]
    assert "alpha: got 0.5, wanted a number between 0 and 0.5" in run(*asked, status=2)
