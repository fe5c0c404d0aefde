"""What is asked of an object: clicks, boxes, sound; nothing else gets in."""

from __future__ import annotations

import math

import pytest

from auralsam2.demo.tracked import MOST_POINTS, FramePrompts, TrackedObject


def test_clicks_are_taken_back_one_by_one_then_the_box_then_the_frame() -> None:
    tracked = TrackedObject(1, sound=False)
    tracked.set_box(3, [0.8, 0.9, 0.2, 0.1])
    tracked.add_point(3, 0.5, 0.25, True)
    tracked.add_point(3, 0.1, 0.1, False)
    box = (0.2, 0.1, 0.8, 0.9)
    assert tracked.frames == {3: FramePrompts([(0.5, 0.25, True), (0.1, 0.1, False)], box)}
    tracked.undo(3)
    assert tracked.frames == {3: FramePrompts([(0.5, 0.25, True)], box)}
    tracked.undo(3)
    tracked.undo(5)
    assert tracked.frames == {3: FramePrompts([], box)} and tracked.prompted
    tracked.undo(3)
    assert tracked.frames == {} and not tracked.prompted


def test_clicks_move_to_the_nearest_frame_in_time_and_the_nearest_ones_stay() -> None:
    tracked = TrackedObject(2, sound=True, weight=0.5)
    for frame in (0, 3, 4, 7, 9):
        tracked.add_point(frame, frame / 10, 0.5, True)
    tenths, seconds = [n / 10 for n in range(10)], [0.0, 0.5, 1.0]
    moved = tracked.moved(tenths, seconds)
    kept = {to: prompts.points[0][0] for to, prompts in moved.frames.items()}
    assert kept == {0: 0.0, 1: 0.4, 2: 0.9}
    assert (moved.obj_id, moved.sound, moved.weight) == (2, True, 0.5)
    assert tracked.moved(tenths, tenths) == tracked


def test_an_object_is_prompted_by_its_sound_or_its_clicks() -> None:
    tracked = TrackedObject(1, sound=True)
    assert tracked.hears and tracked.prompted
    tracked.set_sound(True, 0.0)
    assert not tracked.prompted
    tracked.add_point(0, 0, 1, True)
    assert tracked.prompted and not tracked.hears


@pytest.mark.parametrize("place", [-0.01, 1.01, math.nan, math.inf])
def test_places_outside_of_the_picture_are_refused_and_change_nothing(place: float) -> None:
    tracked = TrackedObject(1, sound=False)
    with pytest.raises(ValueError, match="from 0 to 1"):
        tracked.add_point(0, place, 0.5, True)
    with pytest.raises(ValueError, match="from 0 to 1"):
        tracked.set_box(0, [0.1, 0.1, place, 0.5])
    assert tracked.frames == {}


def test_boxes_without_area_and_too_many_clicks_are_refused() -> None:
    tracked = TrackedObject(1, sound=False)
    with pytest.raises(ValueError, match="no area"):
        tracked.set_box(0, [0.2, 0.2, 0.2, 0.5])
    for _ in range(MOST_POINTS):
        tracked.add_point(0, 0.5, 0.5, True)
    with pytest.raises(ValueError, match="64 clicks"):
        tracked.add_point(0, 0.5, 0.5, True)
    with pytest.raises(ValueError, match="weight of 2.5"):
        tracked.set_sound(True, 2.5)
