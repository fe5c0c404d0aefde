from __future__ import annotations

import pytest

from analysis.figures import style
from analysis.figures.cell_names import wrap_name
from analysis.figures.figure_text import room


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("none", ["none"]),
        ("sparse+dense, audio swapped", ["sparse+dense,", "audio swapped"]),
        ("TwoWayCrossAttentionFusion", ["TwoWayCross", "AttentionFusion"]),
        ("ReleasedTPAVIFusion", ["ReleasedTPAVI", "Fusion"]),
        ("GRUFusion levels=3", ["GRUFusion", "levels=3"]),
        ("x" * 20, ["x" * 16, "xxxx"]),
    ],
)
def test_names_break_where_words_end(name: str, lines: list[str]) -> None:
    assert wrap_name(name, 16).split("\n") == lines
    assert wrap_name(name, 16).replace("\n", "").replace(" ", "") == name.replace(" ", "")


def test_letters_take_the_room_that_they_are_shown_with() -> None:
    with style.paper_style():
        # A private letter stands there as [U+E000], a combining one takes no room.
        assert [room(text) for text in ("ab", "a\ue000", "e\u0301", "\x1b", "n\n")] == [
            2,
            9,
            1,
            8,
            2,
        ]
        assert wrap_name("\ue000" * 3, 16) == "\ue000\ue000\n\ue000"
