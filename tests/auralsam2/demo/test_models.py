"""Runs by names that tell them apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from auralsam2.demo.models import names_of, predictors_of


def test_runs_have_the_shortest_names_that_differ() -> None:
    assert names_of([Path("/w/a/seed0")]) == ["seed0"]
    assert names_of([Path("/w/a/seed0"), Path("/w/b/seed1")]) == ["seed0", "seed1"]
    assert names_of([Path("/w/a/seed0"), Path("/w/b/seed0")]) == ["a/seed0", "b/seed0"]


def test_one_run_twice_and_three_runs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="twice"):
        predictors_of([tmp_path, tmp_path / "." / ""])
    with pytest.raises(ValueError, match="compares 2"):
        predictors_of([Path("a"), Path("b"), Path("c")])
