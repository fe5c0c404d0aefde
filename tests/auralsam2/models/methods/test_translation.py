"""Names that sound, their boxes, and the union of masks."""

from __future__ import annotations

import pytest
import torch

from auralsam2.models.detection.base import NO_BOX, Detections
from auralsam2.models.methods.translation import (
    Choice,
    Rule,
    box_of_clip,
    heard_classes,
    join_boxes,
    mean_of_boxes,
    sounding_boxes,
)

PROBABILITIES = torch.tensor([[[0.9, 0.6, 0.1], [0.2, 0.3, 0.4]]])


def detections(labels: list[int], scores: list[float]) -> Detections:
    return Detections(
        torch.zeros(1, 1, len(labels), 4), torch.tensor([[labels]]), torch.tensor([[scores]])
    )


def test_several_sources_one_or_none() -> None:
    several = heard_classes(PROBABILITIES, Rule())
    assert several.tolist() == [[[True, True, False], [False] * 3]]
    one = heard_classes(PROBABILITIES, Rule(rule="argmax"))
    assert one.tolist() == [[[True, False, False], [False] * 3]]
    low = heard_classes(PROBABILITIES, Rule(rule="argmax", sound_threshold=0.4))
    assert low.tolist() == [[[True, False, False], [False, False, True]]]


def test_so_many_names_a_second_even_in_silence() -> None:
    two = heard_classes(PROBABILITIES, Rule(rule="top_k", top_k=2, sound_threshold=0.99))
    assert two.tolist() == [[[True, True, False], [False, True, True]]]
    assert heard_classes(PROBABILITIES, Rule(rule="top_k", top_k=9)).all()


def test_the_best_box_of_every_class_that_is_heard() -> None:
    found = detections([0, 1, 0, 2, 1, NO_BOX], [0.3, 0.05, 0.7, 0.9, 0.2, 0.0])
    heard = torch.tensor([[[True, True, False]]])
    best = sounding_boxes(found, heard, Rule())
    assert best.flatten().nonzero().flatten().tolist() == [2, 4]
    strict = sounding_boxes(found, heard, Rule(box_threshold=0.5))
    assert strict.flatten().nonzero().flatten().tolist() == [2]
    two = sounding_boxes(found, heard, Rule(boxes_per_class=2))
    assert two.flatten().nonzero().flatten().tolist() == [0, 2, 4], "one of class 1 is too low"
    loose = sounding_boxes(found, heard, Rule(boxes_per_class=9, box_threshold=0.0))
    assert loose.flatten().nonzero().flatten().tolist() == [0, 1, 2, 4], "never a padding"
    every = sounding_boxes(found, heard, Rule(boxes_per_class=None))
    assert every.flatten().nonzero().flatten().tolist() == [0, 2, 4]


def test_of_equal_scores_the_first_box() -> None:
    chosen = sounding_boxes(detections([1, 1], [0.5, 0.5]), torch.tensor([[[False, True]]]), Rule())
    assert chosen.flatten().tolist() == [True, False]


def test_nothing_heard_or_nothing_found_is_no_box() -> None:
    silent = torch.zeros(1, 1, 3, dtype=torch.bool)
    assert not sounding_boxes(detections([0], [1.0]), silent, Rule()).any()
    assert sounding_boxes(detections([], []), ~silent, Rule()).shape == (1, 1, 0)


def test_masks_of_a_frame_are_joined() -> None:
    values = torch.tensor([[1.0, -2], [-3, 4], [5, 6]])
    frame = torch.tensor([0, 0, 2])
    joined = join_boxes(values, frame, 3, empty=-9)
    assert joined.tolist() == [[1, 4], [-9, -9], [5, 6]]
    assert mean_of_boxes(values, frame, 3).tolist() == [[-1, 1], [0, 0], [5, 6]]


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (Rule(rule="softmax"), "unknown rule='softmax'; known: threshold, argmax, top_k"),
        (Rule(sound_threshold=2), "sound_threshold must be from 0 to 1, got 2"),
        (Rule(box_threshold=-1), "box_threshold"),
        (Rule(boxes_per_class=0), "boxes_per_class must be at least 1"),
        (Rule(top_k=0), "top_k must be at least 1"),
    ],
)
def test_wrong_rules(rule: Rule, told: str) -> None:
    (problem,) = rule.problems()
    assert told in problem


def clip_of_three_frames() -> Detections:
    """Boxes of class 1 with scores 0.3 and 0.5, then 0.9, 0.6 and 0.4 on the second frame."""
    scores = torch.tensor([[0.3, 0.5, 0.0, 0.0], [0.4, 0.9, 0.6, 0.95], [0.0] * 4])
    labels = torch.tensor([[1, 1, NO_BOX, NO_BOX], [1, 1, 1, 0], [NO_BOX] * 4])
    boxes = scores[..., None].expand(-1, -1, 4)  # a box is told by its score
    return Detections(boxes, labels, scores)


@pytest.mark.parametrize(
    ("choice", "frame", "score"),
    [
        (None, 1, 0.9),
        (Choice(1), 0, 0.5),
        (Choice(1, 2), 0, 0.3),
        (Choice(2, 3), 1, 0.4),
        (Choice(2, 4), 1, 0.9),  # such a box is not there
        (Choice(0), 0, 0.5),  # nor such a frame
        (Choice(4, 2), 0, 0.3),
    ],
)
def test_one_box_of_a_clip(choice: Choice | None, frame: int, score: float) -> None:
    rule = Rule(box_threshold=0.25, boxes_per_class=3)
    found = box_of_clip(clip_of_three_frames(), 1, rule, choice)
    assert found is not None and found[0] == frame
    assert found[1].tolist() == pytest.approx([score] * 4)


def test_no_box_of_a_clip() -> None:
    clip = clip_of_three_frames()
    assert box_of_clip(clip, 2, Rule()) is None
    assert box_of_clip(clip, 1, Rule(), Choice(3)) is None, "none on that frame"
    assert box_of_clip(clip, 1, Rule(box_threshold=0.91)) is None
    two = Rule(box_threshold=0.25, boxes_per_class=2)
    assert box_of_clip(clip, 1, two, Choice(2, 3))[1][0] == pytest.approx(0.9), "not of the best"
