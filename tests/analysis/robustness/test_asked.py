from __future__ import annotations

import pytest

from analysis.robustness.asked import asked_corruptions
from auralsam2.data.corruptions.base import CORRUPTIONS


def test_names_nodes_and_strengths() -> None:
    usual = asked_corruptions()
    names = [str(node["type"]) for node, _ in usual]
    assert sorted(names) == CORRUPTIONS.names() and len(names) == 12
    assert names[8:] == ["Blur", "Darkness", "JPEGCompression", "Occlusion"], "sounds come first"
    assert asked_corruptions(["Delay", "Babble"], None) == (
        ({"type": "Delay"}, (0.5, 1.0, 2.0)),
        ({"type": "Babble"}, (20.0, 10.0, 0.0, -10.0)),
    )
    node = dict(type="Babble", voices=2, strengths=(3,))
    assert asked_corruptions([node, "Delay"], [1]) == (
        ({"type": "Babble", "voices": 2}, (3.0,)),
        ({"type": "Delay"}, (1.0,)),
    )
    assert node["strengths"] == (3,), "the node was written to"


@pytest.mark.parametrize(
    ("named", "strengths", "said"),
    [
        (["WiteNoise"], None, r"unknown corruption 'WiteNoise'; did you mean 'WhiteNoise'\?"),
        ([], None, "name one corruption at least"),
        (["Delay", "Babble"], [1], r"strengths \[1\] cannot be those of all of Delay \(s\), Babb"),
        (["Blur"], [-1], r"Blur got strength -1, wanted 0 to 100 %"),
        ([dict(type="Babble", voice=3)], None, "voice"),
        (["Gain"], [0.0], "Gain got no strength that changes anything"),
    ],
)
def test_mistakes(named: list[str], strengths: list[float] | None, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        asked_corruptions(named, strengths)
