"""Words for what can be seen of an object: shape, texture, colour, size and place."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from auralsam2.data.synthetic.facts import Extent, Facts
from auralsam2.data.synthetic.objects import CLASSES, ObjectClass

TEXTURE_WORDS = {
    "plain": "plain",
    "stripes": "striped",
    "checks": "checked",
    "dots": "dotted",
    "rings": "ringed",
    "mottle": "mottled",
}
COLOUR_WORDS = {
    # By the first word of a class's name; the hues of two different words never overlap.
    "red": "red",
    "orange": "orange",
    "yellow": "yellow",
    "lime": "green",
    "green": "green",
    "cyan": "blue",
    "azure": "blue",
    "blue": "blue",
    "violet": "purple",
    "magenta": "pink",
    "pink": "pink",
}
SMALL, LARGE = 0.15, 0.18
"""Radii as a share of the side up to which an object is small, from which on it is large."""

NEAR_MIDDLE = 0.45
"""Share of the side within which an object stays that is on one side; beyond half it is not."""


class Look(NamedTuple):
    """A word for what can be seen.

    Attributes:
        slot: a description has one word of a slot at most.
        extent: what it fits.
    """

    slot: str
    extent: Callable[[Facts], Extent]


def _kind(test: Callable[[ObjectClass], bool]) -> Callable[[Facts], Extent]:
    def extent(facts: Facts) -> Extent:
        fits = np.array([test(kind) for kind in facts.kinds], bool)
        return Extent(fits, fits)

    return extent


def _shape(name: str) -> Look:
    return Look("shape", _kind(lambda kind: kind.shape == name))


def _texture(word: str) -> Look:
    return Look("texture", _kind(lambda kind: TEXTURE_WORDS[kind.texture] == word))


def _colour(word: str) -> Look:
    return Look("colour", _kind(lambda kind: COLOUR_WORDS[kind.name.split("-")[0]] == word))


def _place(axis: int, mirrored: bool) -> Look:
    def extent(facts: Facts) -> Extent:
        along = facts.centre[..., axis]
        along = 1 - along if mirrored else along
        return Extent((along < NEAR_MIDDLE).all(axis=1), (along < 0.5).any(axis=1))

    return Look("place", extent)


LOOKS: dict[str, Look] = {
    **{kind.shape: _shape(kind.shape) for kind in CLASSES},
    **{word: _texture(word) for word in TEXTURE_WORDS.values()},
    **{word: _colour(word) for word in COLOUR_WORDS.values()},
    "small": Look("size", lambda facts: Extent(facts.radius <= SMALL, facts.radius < LARGE)),
    "large": Look("size", lambda facts: Extent(facts.radius >= LARGE, facts.radius > SMALL)),
    "left": _place(0, False),
    "right": _place(0, True),
    "top": _place(1, False),
    "bottom": _place(1, True),
}
"""Word -> what it fits."""
