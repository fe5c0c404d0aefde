from __future__ import annotations

import numpy as np
import pytest

from auralsam2.segment.prompts import (
    PromptsError,
    add_prompts,
    check_prompts,
    frame_at,
    parse_prompts,
)

TIMES = [0.0, 0.5, 0.6, 2.0]


def test_clicks_and_boxes_are_read() -> None:
    click, other, box = parse_prompts(["1.5,320,180,+", "2, 4.5 ,6,-,3"], ["0,1,2,30,40"])
    assert (click.time, click.points, click.label, click.obj_id) == (1.5, ((320, 180),), 1, 1)
    assert (other.points, other.label, other.obj_id) == (((4.5, 6),), 0, 3)
    assert (box.time, box.points, box.label, box.obj_id) == (0, ((1, 2), (30, 40)), None, 1)


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("click", "1,2,+", "wanted t,x,y,+ or t,x,y,-"),
        ("click", "1,2,3", "+ is on the object, - is beside it"),
        ("click", "1,2,3,4", "+ is on the object, - is beside it"),
        ("click", "1,2,3,+,1,2", "at most an object's number behind"),
        ("click", "one,2,3,+", "wanted t,x,y,+"),
        ("click", "nan,2,3,+", "wanted t,x,y,+"),
        ("click", "1,2,3,+,0", "objects are numbered 1, 2, ..., got 0"),
        ("click", "1,2,3,+,1.5", "objects are numbered 1, 2, ..., got 1.5"),
        ("box", "1,2,3,4", "wanted t,x0,y0,x1,y1"),
        ("box", "0,30,2,1,40", "x0 must be left of x1, and y0 above y1"),
        ("box", "", "wanted t,x0,y0,x1,y1"),
    ],
)
def test_what_is_no_prompt_is_named(kind: str, text: str, said: str) -> None:
    given = {"clicks": [], "boxes": []}
    given["clicks" if kind == "click" else "boxes"].append(text)
    with pytest.raises(PromptsError) as caught:
        parse_prompts(**given)
    assert caught.value.problems[0].startswith(f"--{kind} {text}: ") and said in str(caught.value)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(PromptsError) as caught:
        parse_prompts(["a", "1,2,3,+", "1,2"], ["0"])
    assert len(caught.value.problems) == 3
    prompts = parse_prompts(["2.6,3,4,+", "1,97,4,+", "1,3,-1,-", "2.5,96,64,+"], [])
    with pytest.raises(PromptsError) as caught:
        check_prompts(prompts, TIMES, 2.5, (64, 96))
    assert caught.value.problems == [
        "--click 2.6,3,4,+: the video lasts from 0 to 2.50 s",
        "--click 1,97,4,+: pictures are 96 x 64 pixels",
        "--click 1,3,-1,-: pictures are 96 x 64 pixels",
    ]


def test_a_frame_and_object_take_one_box() -> None:
    both = parse_prompts([], ["0.5,1,2,30,40", "0.55,1,2,30,50"])
    with pytest.raises(PromptsError, match="an object has several boxes in one frame"):
        check_prompts(both, TIMES, 2.5, (64, 96))
    check_prompts(parse_prompts([], ["0.5,1,2,3,4", "0.6,1,2,3,4"]), TIMES, 2.5, (64, 96))
    check_prompts(parse_prompts([], ["0.5,1,2,3,4", "0.5,1,2,3,4,2"]), TIMES, 2.5, (64, 96))


def test_a_time_means_the_frame_that_is_shown_then() -> None:
    assert [frame_at(TIMES, t) for t in (0, 0.49, 0.5, 0.61, 1.9, 2.0, 9)] == [0, 0, 1, 2, 2, 3, 3]
    assert frame_at([0.5, 1.0], 0.2) == 0


def test_prompts_of_one_frame_and_object_go_together() -> None:
    given = []

    class Predictor:
        def add_new_points_or_box(self, state, **arguments) -> None:
            given.append(arguments)

    clicks = ["0.5,1,2,+", "0.55,3,4,-", "0.5,5,6,+,2", "2,7,8,+"]
    prompts = parse_prompts(clicks, ["0.5,1,2,30,40"])
    add_prompts(Predictor(), {"times": TIMES}, prompts)
    assert [(one["frame_idx"], one["obj_id"]) for one in given] == [(1, 1), (1, 2), (3, 1)]
    np.testing.assert_array_equal(given[0]["points"], [[1, 2], [3, 4]])
    np.testing.assert_array_equal(given[0]["labels"], [1, 0])
    np.testing.assert_array_equal(given[0]["box"], [1, 2, 30, 40])
    assert "box" not in given[1]
