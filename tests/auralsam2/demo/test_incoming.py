"""Changes of an object, out of what a request says."""

from __future__ import annotations

import pytest

pytest.importorskip("starlette", reason="the extra 'demo' is not installed")

from auralsam2.demo.incoming import change_of
from auralsam2.demo.tracked import FramePrompts, TrackedObject


def test_changes_do_what_they_are_called() -> None:
    tracked = TrackedObject(1, sound=False)
    for what, body in (
        ("point", {"frame": 2, "x": 0.5, "y": 0.25, "positive": True}),
        ("point", {"frame": 2, "x": 0, "y": 1}),
        ("box", {"frame": 3, "x0": 0, "y0": 0.1, "x1": 0.5, "y1": 1}),
        ("sound", {"on": True, "weight": 0.5}),
    ):
        frame, ask = change_of(what, body)
        assert frame == body.get("frame")
        ask(tracked)
    assert tracked.frames == {
        2: FramePrompts([(0.5, 0.25, True), (0.0, 1.0, False)]),
        3: FramePrompts([], (0, 0.1, 0.5, 1)),
    }
    assert (tracked.sound, tracked.weight) == (True, 0.5)
    change_of("undo", {"frame": 3})[1](tracked)
    assert list(tracked.frames) == [2]
    frame, ask = change_of("clear", {})
    ask(tracked)
    assert frame is None and tracked.frames == {}


@pytest.mark.parametrize("value", [None, True, "1", [1], float("nan"), float("inf")])
def test_numbers_are_numbers(value: object) -> None:
    with pytest.raises(ValueError, match="frame=.*wanted a number"):
        change_of("undo", {"frame": value})
