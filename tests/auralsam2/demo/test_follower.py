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


def test_what_only_clicks_show_is_followed_both_ways_and_sound_from_the_beginning(
    follower: Follower,
) -> None:
    tracked = TrackedObject(1, sound=False)
    assert list(follower.answers({1: tracked})) == []
    tracked.set_box(3, [0, 0, 0.5, 0.5])
    follower.prompt(tracked, [3])
    frames = [answer.frame for answer in follower.answers({1: tracked})]
    assert frames == [3, 4, 3, 2, 1, 0]
    hearing = TrackedObject(2, sound=True)
    follower.prompt(hearing)
    answers = list(follower.answers({1: tracked, 2: hearing}))
    assert [answer.frame for answer in answers] == [0, 1, 2, 3, 4]
    assert all(list(answer.masks) == [1, 2] for answer in answers)
