"""Whom descriptions fit, on scenes that are laid out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from auralsam2.data.synthetic.objects import CLASSES, HUE_JITTER
from auralsam2.data.synthetic.words import (
    COLOUR_WORDS,
    LOOKS,
    SOUNDS,
    TEXTURE_WORDS,
    Description,
    Facts,
)

BY_NAME = {kind.name: kind for kind in CLASSES}


def make(**objects: tuple[float, float, str]) -> Facts:
    """Objects by class (with underscores): x, radius and in which second they sound (#)."""
    kinds = tuple(BY_NAME[name.replace("_", "-")] for name in objects)
    sounding = np.array([[mark == "#" for mark in o[2]] for o in objects.values()]).T
    x = np.array([[o[0]] for o in objects.values()]).repeat(len(sounding), axis=1)
    centre = np.stack([x, np.full_like(x, 0.3)], axis=-1)
    return Facts(kinds, centre, np.array([o[1] for o in objects.values()]), sounding)


# Two striped, two red, two discs; low: the first and the third.
FACTS = make(
    red_striped_disc=(0.2, 0.13, "..##..."),
    violet_striped_triangle=(0.7, 0.20, "......."),
    red_mottled_triangle=(0.8, 0.20, "#.#...."),
    blue_dotted_disc=(0.3, 0.13, "....##."),
)


@pytest.mark.parametrize(
    ("words", "sound", "number"),
    [
        ("striped disc", None, 0),
        ("purple", None, 1),
        ("triangle red", None, 2),
        ("large small", None, None),
        ("disc", None, None),
        ("striped", "silent", 1),
        ("striped", "sounding", 0),
        ("red left", "low", 0),
        ("disc left", "low", None),  # a disc of 700 Hz may be meant
        ("", "stops first", 2),
        ("", "low", None),
        ("red right", "low", 2),
        ("left", "silent", None),
        ("", "silent", 1),
        ("", "first", 2),
        ("disc", "last", 3),
        ("red", "together", None),
        ("", "alone", 3),
        ("striped", "together", 0),
        ("top blue", None, 3),
        ("", "noisy", 2),
        ("", "longest", None),
        ("", "high", None),
    ],
)
def test_descriptions_refer(words: str, sound: str | None, number: int | None) -> None:
    assert Description(tuple(words.split()), sound).referent(FACTS) == number


def test_what_may_be_meant_refers_to_nothing_and_is_not_null() -> None:
    # The first disc to sound is not the first object to do so.
    description = Description(("disc",), "first")
    assert description.referent(FACTS) is None and not description.is_null(FACTS)
    # An object of 700 Hz is neither surely low nor surely high.
    for pitch in ("low", "high"):
        description = Description(("blue",), pitch)
        assert description.referent(FACTS) is None and not description.is_null(FACTS)
    # What pauses may be said to have fallen silent then, or at its end.
    facts = make(red_striped_disc=(0.2, 0.1, "#.##."), red_mottled_triangle=(0.8, 0.1, ".##.."))
    found = Description((), "stops first").extent(facts)
    assert found.possible.all() and not found.sure.any()


def test_what_crosses_the_middle_is_on_no_side() -> None:
    facts = make(red_striped_disc=(0.2, 0.1, "##"), red_mottled_triangle=(0.8, 0.1, ".."))
    facts.centre[0, :, 0] = (0.4, 0.6)
    for side in ("left", "right"):
        found = LOOKS[side].extent(facts)
        assert found.possible[0] and not found.sure[0]
    assert Description(("left",)).referent(facts) is None
    assert Description(("right",)).referent(facts) is None


@pytest.mark.parametrize(
    ("words", "sound", "null"),
    [
        ("star", None, True),
        ("blue striped", None, True),
        ("dotted", "silent", True),
        ("purple", "sounding", True),
        ("purple", "first", True),
        ("triangle left", "low", True),
        ("red", "low", False),
    ],
)
def test_null_descriptions_fit_nothing(words: str, sound: str | None, null: bool) -> None:
    assert Description(tuple(words.split()), sound).is_null(FACTS) is null


def test_what_the_deaf_and_the_blind_know() -> None:
    description = Description(("striped",), "silent")
    assert description.deaf(FACTS).tolist() == [True, True, False, False]
    assert description.blind(FACTS).tolist() == [False, True, False, False]
    # The deaf know the timbres of classes, but not who sounds.
    low = Description((), "low")
    assert low.deaf(FACTS).tolist() == [True, True, True, True]
    assert Description((), "noisy").deaf(FACTS).tolist() == [False, False, True, False]
    assert low.blind(FACTS).tolist() == [True, False, True, True]


@pytest.mark.parametrize("sound", SOUNDS)
def test_what_surely_fits_may_fit(sound: str) -> None:
    rng = np.random.default_rng(3)
    for _ in range(30):
        facts = FACTS._replace(sounding=rng.random((7, 4)) < 0.3)
        for looks in ((), ("disc",), ("left",), ("large",)):
            found = Description(looks, sound).extent(facts)
            assert (found.sure <= found.possible).all()
            assert (found.possible <= Description(looks, sound).deaf(facts)).all()


def test_words_cover_the_classes_and_colours_do_not_overlap() -> None:
    words = {kind.name: COLOUR_WORDS[kind.name.split("-")[0]] for kind in CLASSES}
    for one in CLASSES:
        assert TEXTURE_WORDS[one.texture] in LOOKS and one.shape in LOOKS
        for other in CLASSES:
            apart = abs((one.hue - other.hue + 180) % 360 - 180)
            if words[one.name] != words[other.name]:
                assert apart > 2 * HUE_JITTER
