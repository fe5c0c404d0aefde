"""What is scored after clicks is found again by its name."""

from __future__ import annotations

import pytest

from auralsam2.clicked_splits import Clicked, parse_clicked


@pytest.mark.parametrize(
    ("clicked", "name"),
    [
        (Clicked("test", 0), "test_clicks_0"),
        (Clicked("test_u", 12, heard=False), "test_u_clicks_12_unheard"),
    ],
)
def test_names_go_both_ways(clicked: Clicked, name: str) -> None:
    assert clicked.name == name and parse_clicked(name) == clicked


@pytest.mark.parametrize("split", ["test", "test_audio_swapped", "clicks_1", "test_clicks_many"])
def test_other_splits_have_other_names(split: str) -> None:
    assert parse_clicked(split) is None


def test_a_single_click_is_one() -> None:
    assert [Clicked("test", number).words for number in (0, 1, 2)] == [
        "0 clicks",
        "1 click",
        "2 clicks",
    ]


def test_words_say_that_the_sound_had_no_part() -> None:
    assert Clicked("test", 3, heard=False).words == "3 clicks, no sound"
