"""A run is told what is asked of an object in its predictor's own words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from auralsam2.demo.follower import Follower
from auralsam2.demo.tracked import TrackedObject


@pytest.fixture
def follower(predictor: Any, write_video: Any, tmp_path: Path) -> Follower:
    return Follower("run", predictor, write_video(tmp_path / "a.mp4", seconds=1), 5, "text")


def test_an_object_comes_with_its_first_prompt_and_goes_with_its_last(
    follower: Follower, predictor: Any
) -> None:
    tracked = TrackedObject(3, sound=True)
    assert follower.prompt(tracked) == []
    tracked.set_sound(True, 0.5)
    follower.prompt(tracked)
    tracked.set_sound(False, 0.5)
    follower.prompt(tracked)
    tracked.add_point(2, 0.5, 0.5, True)
    (answer,) = follower.prompt(tracked, [2])
    assert (answer.run, answer.frame, list(answer.masks)) == ("run", 2, [3])
    assert answer.masks[3].shape == (32, 48) and answer.masks[3].dtype == np.bool_
    tracked.set_sound(True, 1.0)
    follower.prompt(tracked)
    tracked.undo(2)
    follower.prompt(tracked, [2])
    follower.forget(3)
    follower.forget(3)
    assert predictor.calls == [
        ("add_audio", 3, 1.0), ("set_audio_weight", 3, 0.5), ("remove", 3),
        ("prompt", 2, 3, [([24, 16], 1)], None), ("add_audio", 3, 1.0),
        ("set_audio_weight", 3, 1.0), ("clear", 2, 3), ("remove", 3),
    ]  # fmt: skip
