"""What is read out of a language model's answers."""

from __future__ import annotations

import pytest

from auralsam2.models.methods.answers import box_of_answer, frames_of_answer


@pytest.mark.parametrize(
    ("answer", "frames"),
    [
        ("['man': 1, 'guitar': 4]", {"man": 1, "guitar": 4}),
        ('"baby\'s cry": 3', {"baby's cry": 3}),
        ("['dog, barking': 2; 'cat; kitten': 10]", {"dog": 2, "cat": 10}),
        ("['dog': 3, 'dog': 1]", {"dog": 1}),
        ("['dog':3, 'cat': three, dog: 2]", {}),
    ],
)
def test_names_and_their_frames(answer: str, frames: dict[str, int]) -> None:
    assert frames_of_answer(answer) == frames


@pytest.mark.parametrize(
    ("answer", "box"),
    [("I choose [ 3 ], not [2]", 3), ("[box 12, box 3]", 12), ("[none] [2]", 1), ("2", 1)],
)
def test_the_chosen_box(answer: str, box: int) -> None:
    assert box_of_answer(answer) == box
