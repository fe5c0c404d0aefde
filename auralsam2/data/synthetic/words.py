"""Words for the objects of a scene, and whom descriptions made of them fit.

A word fits an object, does not, or leaves it open, as *left* does for what crosses the middle.
A description refers to an object where it surely fits that one and cannot fit any other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from auralsam2.data.synthetic.objects import CLASSES, ObjectClass, Timbre
from auralsam2.data.synthetic.scene import Scene

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

Flags = NDArray[np.bool_]


class Facts(NamedTuple):
    """What descriptions of the N objects of a scene speak of."""

    kinds: tuple[ObjectClass, ...]  # classes of the objects
    centre: NDArray[np.float64]  # (N, T, 2) x and y as a share of the side
    radius: NDArray[np.float64]  # (N,) mean radius as a share of the side
    sounding: Flags  # (T, N), True where the object sounds in that second

    @property
    def everything(self) -> Flags:
        """(N,), all True."""
        return np.ones(len(self.kinds), bool)

    @property
    def heard(self) -> Flags:
        """(N,), what sounds in some second."""
        return np.asarray(self.sounding.any(axis=0))


def facts_of(scene: Scene) -> Facts:
    """Read them off a scene."""
    return Facts(
        tuple(CLASSES[item.class_index] for item in scene.objects),
        np.stack([item.centre for item in scene.objects]),
        np.array([item.radius.mean() for item in scene.objects]),
        scene.sounding,
    )


class Extent(NamedTuple):
    """Objects that a word or a description surely fits, and those that may be meant; (N,) each."""

    sure: Flags
    possible: Flags

    def both(self, other: Extent) -> Extent:
        """What fits this and the other."""
        return Extent(self.sure & other.sure, self.possible & other.possible)


class Look(NamedTuple):
    """A word for what can be seen."""

    slot: str  # a description has one word of a slot at most
    extent: Callable[[Facts], Extent]  # what it fits


class Sound(NamedTuple):
    """A word for what can be heard."""

    # Of a description with it: facts and the extent of its looks to what both fit.
    extent: Callable[[Facts, Extent], Extent]
    # (N,) what it can fit for all that one knows who sees, knows how classes sound, and is deaf.
    deaf: Callable[[Facts], Flags] = lambda facts: facts.everything


KIND_WORDS: dict[str, Callable[[ObjectClass], str]] = {
    "shape": lambda kind: kind.shape,
    "texture": lambda kind: TEXTURE_WORDS[kind.texture],
    "colour": lambda kind: COLOUR_WORDS[kind.name.split("-")[0]],
}
"""Slot -> the word that fits a class."""


def _kind(slot: str, word: str) -> Look:
    def extent(facts: Facts) -> Extent:
        fits = np.array([KIND_WORDS[slot](kind) == word for kind in facts.kinds], bool)
        return Extent(fits, fits)

    return Look(slot, extent)


def _place(axis: int, mirrored: bool) -> Look:
    def extent(facts: Facts) -> Extent:
        along = facts.centre[..., axis]
        along = 1 - along if mirrored else along
        return Extent((along < NEAR_MIDDLE).all(axis=1), (along < 0.5).any(axis=1))

    return Look("place", extent)


def _timbre(sure: Callable[[Timbre], bool], possible: Callable[[Timbre], bool]) -> Sound:
    def flags(facts: Facts, test: Callable[[Timbre], bool]) -> Flags:
        return np.array([test(kind.timbre) for kind in facts.kinds], bool)

    def extent(facts: Facts, looks: Extent) -> Extent:
        heard = facts.heard
        return looks.both(Extent(heard & flags(facts, sure), heard & flags(facts, possible)))

    return Sound(extent, lambda facts: flags(facts, possible))


def _kinds(sure: str, unclear: str) -> Sound:
    clear, open_ = set(sure.split()), set(unclear.split())
    return _timbre(lambda t: t.kind in clear, lambda t: t.kind in clear | open_)


def _when(test: Callable[[Facts], Flags]) -> Sound:
    return Sound(lambda facts, looks: looks.both(Extent(test(facts), test(facts))))


def _accompanied(facts: Facts) -> Flags:
    """(N,), what sounds in a second in which another object does."""
    several = facts.sounding.sum(axis=1, keepdims=True) > 1
    return np.asarray((facts.sounding & several).any(axis=0))


def _least(values: Callable[[Facts], NDArray[np.float64]], margin: float = 1.0) -> Sound:
    """The object of the least value, infinite where it has none.

    *The disc that sounds first* may be the first of all or of the discs: it surely is what is
    both, and may be what is either.
    """

    def extent(facts: Facts, looks: Extent) -> Extent:
        value = values(facts)
        others = ~np.eye(len(value), dtype=bool)
        ahead = (value[:, None] + margin <= value[None, :]) | ~others
        level = (value[:, None] < value[None, :] + margin) | ~(others & looks.sure[None, :])
        exists = np.isfinite(value)
        return looks.both(Extent(exists & ahead.all(axis=1), exists & level.all(axis=1)))

    return Sound(extent)


def _if_heard(facts: Facts, value: NDArray[np.int_]) -> NDArray[np.float64]:
    return np.where(facts.heard, value, np.inf)


def _end(facts: Facts) -> NDArray[np.float64]:
    """(N,) second after the last one in which the object sounds; infinite if it never does."""
    return _if_heard(facts, len(facts.sounding) - facts.sounding[::-1].argmax(axis=0))


def _pause(facts: Facts) -> NDArray[np.float64]:
    """(N,) first second in which the object sounds no more; infinite if there is none."""
    stops = facts.sounding[:-1] & ~facts.sounding[1:]
    return np.where(stops.any(axis=0), stops.argmax(axis=0) + 1.0, np.inf)


def _final(facts: Facts) -> NDArray[np.float64]:
    """(N,) second from which on the object is silent; infinite if it sounds to the end."""
    end = _end(facts)
    return np.where(end < len(facts.sounding), end, np.inf)


def _falls_silent_first(facts: Facts, looks: Extent) -> Extent:
    # Whoever pauses and goes on may be said to have fallen silent, or not.
    first, second = (_least(values).extent(facts, looks) for values in (_pause, _final))
    return Extent(first.sure & second.sure, first.possible | second.possible)


LOOKS: dict[str, Look] = {
    **{kind.shape: _kind("shape", kind.shape) for kind in CLASSES},
    **{word: _kind("texture", word) for word in TEXTURE_WORDS.values()},
    **{word: _kind("colour", word) for word in COLOUR_WORDS.values()},
    "small": Look("size", lambda facts: Extent(facts.radius <= SMALL, facts.radius < LARGE)),
    "large": Look("size", lambda facts: Extent(facts.radius >= LARGE, facts.radius > SMALL)),
    "left": _place(0, False),
    "right": _place(0, True),
    "top": _place(1, False),
    "bottom": _place(1, True),
}
"""Word -> what it fits."""

SOUNDS: dict[str, Sound] = {
    # Timbres between the two are neither surely low nor surely high.
    "low": _timbre(lambda t: t.pitch <= 400, lambda t: t.pitch < 1000),
    "high": _timbre(lambda t: t.pitch >= 1000, lambda t: t.pitch > 400),
    "pulsed": _kinds("clicks bursts pulses bell", "tremolo chirp vibrato"),
    "steady": _kinds("harmonic odd_harmonic noise fm", "tremolo chirp vibrato"),
    "noisy": _kinds("noise bursts", "fm clicks"),
    "silent": _when(lambda facts: ~facts.heard),
    "sounding": _when(lambda facts: facts.heard),
    "together": _when(_accompanied),
    "alone": _when(lambda facts: facts.heard & ~_accompanied(facts)),
    "first": _least(lambda facts: _if_heard(facts, facts.sounding.argmax(axis=0))),
    "last": _least(lambda facts: np.where(facts.heard, -_end(facts), np.inf)),
    "stops first": Sound(_falls_silent_first),
    "longest": _least(lambda facts: _if_heard(facts, -facts.sounding.sum(axis=0)), margin=2.0),
}
"""Word -> what it fits."""


class Description(NamedTuple):
    """Words that are all to fit: keys of ``LOOKS``, one a slot at most, and one of ``SOUNDS``."""

    looks: tuple[str, ...] = ()
    sound: str | None = None

    def seen(self, facts: Facts) -> Extent:
        """What the looks fit."""
        fitting = Extent(facts.everything, facts.everything)
        for word in self.looks:
            fitting = fitting.both(LOOKS[word].extent(facts))
        return fitting

    def extent(self, facts: Facts) -> Extent:
        """What all of it fits."""
        looks = self.seen(facts)
        return looks if self.sound is None else SOUNDS[self.sound].extent(facts, looks)

    def referent(self, facts: Facts) -> int | None:
        """The one object that it fits, if no other may be meant."""
        found = self.extent(facts)
        if found.sure.sum() == found.possible.sum() == 1:
            return int(found.sure.argmax())
        return None

    def is_null(self, facts: Facts) -> bool:
        """Whether it cannot fit any object."""
        return not self.extent(facts).possible.any()

    def deaf(self, facts: Facts) -> Flags:
        """(N,) what may be meant for all that one knows who does not hear the clip."""
        seen = self.seen(facts).possible
        return seen if self.sound is None else seen & SOUNDS[self.sound].deaf(facts)

    def blind(self, facts: Facts) -> Flags:
        """(N,) what may be meant for all that one knows who only hears the clip."""
        return self._replace(looks=()).extent(facts).possible
