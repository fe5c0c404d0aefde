"""Runs by names that tell them apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from auralsam2.data.example import example_clip
from auralsam2.demo.models import names_of, predictors_of
from auralsam2.demo.session import Session


def test_runs_have_the_shortest_names_that_differ() -> None:
    assert names_of([Path("/w/a/seed0")]) == ["seed0"]
    assert names_of([Path("/w/a/seed0"), Path("/w/b/seed1")]) == ["seed0", "seed1"]
    assert names_of([Path("/w/a/seed0"), Path("/w/b/seed0")]) == ["a/seed0", "b/seed0"]


def test_one_run_twice_and_three_runs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="twice"):
        predictors_of([tmp_path, tmp_path / "." / ""])
    with pytest.raises(ValueError, match="compares 2"):
        predictors_of([Path("a"), Path("b"), Path("c")])


def test_a_correction_of_an_object_without_sound_stays_in_its_frame(tmp_path: Path) -> None:
    session = Session(predictors_of([]), tmp_path / "session")
    session.load(example_clip(), "example", 1)
    session.change(1, lambda tracked: tracked.set_sound(False, 1.0))
    session.change(1, lambda tracked: tracked.add_point(0, 0.8, 0.33, True), 0)
    before = {answer.frame: answer.masks[1] for answer in session.answers()}
    row, column = np.argwhere(~before[4])[0] / before[4].shape
    (told,) = session.change(1, lambda tracked: tracked.add_point(4, column, row, True), 4)
    (after,) = [one for one in session.masks() if one.get("frame") == 4]
    session.close()
    assert after == told
    height, width = before[4].shape
    assert (1 - sum(told["objects"][1]["runs"][::2]) / (height * width)) != before[4].mean()
