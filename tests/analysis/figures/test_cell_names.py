from __future__ import annotations

import pytest

from analysis.figures.cell_names import wrap_name


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
