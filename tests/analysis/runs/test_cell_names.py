from __future__ import annotations

import pytest

from analysis.runs.cell_names import pieces


@pytest.mark.parametrize(
    ("word", "width", "parts"),
    [
        ("TwoWayCrossAttention", 8, ["Two", "Way", "Cross", "Attentio", "n"]),
        ("TPAVIFusion", 8, ["TPAVI", "Fusion"]),
        ("sparse+dense", 8, ["sparse+", "dense"]),
        ("short", 8, ["short"]),
    ],
)
def test_words_break_where_a_part_begins(word: str, width: int, parts: list[str]) -> None:
    assert pieces(word, width, len) == parts
