from __future__ import annotations

import pytest

from analysis.runs.cell_names import pieces, short_choices, short_names


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


def test_names_that_fit() -> None:
    names = short_names(["optim.optimizer.lr", "model.fusion", "model.fusion.norm", "prompts"])
    assert list(names.values()) == ["optimizer.lr", "fusion", "fusion.norm", "prompts"]
    alike = short_names(["model.a.b.weight", "model.c.b.weight"])
    assert list(alike.values()) == ["a.b.weight", "c.b.weight"]
    assert short_choices(["no text_encoder", "RobertaText"]) == ["no text_encoder", "RobertaText"]
    assert short_choices(["Fusion", "FiLMFusion"]) == ["Fusion", "FiLMFusion"]
    assert short_choices(["batch", "patch"]) == ["batch", "patch"]
