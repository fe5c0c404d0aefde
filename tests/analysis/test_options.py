from __future__ import annotations

from analysis.options import name_problems

KNOWN = ("swapped", "silence")


def test_names_that_are_known_or_not_asked_for() -> None:
    assert name_problems("sound", ("silence",), KNOWN) == []
    assert name_problems("sound", None, KNOWN) == []


def test_what_is_wrong_and_what_is_known() -> None:
    first, second = name_problems("sound", ["swaped", "silence", "x"], iter(KNOWN))
    assert first == "unknown sound 'swaped'; did you mean 'swapped'? known: silence, swapped"
    assert second.startswith("unknown sound 'x'")
    assert name_problems("sound", [], KNOWN) == ["name one sound at least; known: swapped, silence"]


def test_a_text_is_no_list_of_letters() -> None:
    assert name_problems("sound", "silence", KNOWN) == [
        "sounds must be a list of names, got the text 'silence'; write ['silence']"
    ]
