from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def grid(toy_grid: Callable[..., Path], run) -> Path:
    """A grid of three seeds that have run."""
    stated = "reference = 'low'\nseeds = [0, 1, 2]\n"
    how = dict(num_clips=6, by_seed=0.01, by_clip=0.01, seconds=1800.0)
    path = toy_grid("low", "high", stated=stated, **how)
    run("run-grid", path, "--jobs", "0")
    return path


def rows(text: str) -> dict[str, list[str]]:
    return {line.split()[0]: line.split() for line in text.splitlines() if line.split()}


def test_seeds_hours_and_disk_before_anything_starts(grid: Path, tmp_path: Path, run) -> None:
    before = sorted((tmp_path / "out").rglob("*"))
    shown = run("plan-grid", grid, "--detect", "1.5")
    seeds = int(rows(shown)["low"][1])
    assert seeds > 3 and rows(shown)["total"][1:3] == [str(2 * (seeds - 3)), f"{seeds - 3:.2f}"]
    assert "find 1.5 points (hundredths of a metric's range) in 80 % of repetitions" in shown
    assert "GB free" in shown and sorted((tmp_path / "out").rglob("*")) == before


def test_what_claims_compare_takes_the_place_of_the_reference(grid: Path, run) -> None:
    claims = grid.with_name("claims.py")
    claims.write_text(
        "claims = [dict(type='Beats', sentence='high is best', cell='high', other='low')]\n"
    )
    shown = run("plan-grid", grid, "--detect", "1.5", "--claims", claims)
    assert "high is best (high over low)" in shown
    told = run("plan-grid", grid, "--detect", "1", "--claims", "c.py", "--metric", "F", status=2)
    assert "leave out --metric" in told


def test_without_a_finished_run_it_says_how_to_get_one(grid: Path, tmp_path: Path, run) -> None:
    asked = ["plan-grid", grid, "--detect", "1", "--set", "optim.power=0.5", "--runs"]
    said = f"auralsam2 run-grid {grid} --seeds 0 1 2 --out work_dirs/pilot --set optim.power=0.5"
    (tmp_path / "empty").mkdir()
    for folder in ("empty", "nowhere"):
        told = run(*asked, tmp_path / folder, status=2)
        assert f"--runs work_dirs/pilot:\n{said} optim" in told


@pytest.mark.parametrize(
    ("more", "meant"), [(["--reference", "lo"], "low"), (["--set", "model.depts=1"], "depths")]
)
def test_problems_are_told(grid: Path, run, more: list[str], meant: str) -> None:
    told = run("plan-grid", grid, "--detect", "1", *more, status=2)
    assert f"did you mean '{meant}'" in told
