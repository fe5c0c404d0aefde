"""Words for what can be heard of an object: its timbre, and when it sounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from auralsam2.data.synthetic.facts import Extent, Facts, Flags, any_object
from auralsam2.data.synthetic.objects import Timbre


class Sound(NamedTuple):
    """A word for what can be heard.

    Attributes:
        extent: of a description with it: facts and the extent of its looks to what both fit.
        deaf: (N,) what it can fit, as far as one knows who sees the objects, knows how their
            classes sound, and hears nothing.
    """

    extent: Callable[[Facts, Extent], Extent]
    deaf: Callable[[Facts], Flags]


def _heard(facts: Facts) -> Flags:
    return np.asarray(facts.sounding.any(axis=0))


def _accompanied(facts: Facts) -> Flags:
    """Objects that sound in a second in which another one sounds."""
    several = facts.sounding.sum(axis=1, keepdims=True) > 1
    return np.asarray((facts.sounding & several).any(axis=0))


def _timbre(sure: Callable[[Timbre], bool], possible: Callable[[Timbre], bool]) -> Sound:
    def flags(facts: Facts, test: Callable[[Timbre], bool]) -> Flags:
        return np.array([test(kind.timbre) for kind in facts.kinds], bool)

    def extent(facts: Facts, looks: Extent) -> Extent:
        heard = _heard(facts)
        return looks.both(Extent(heard & flags(facts, sure), heard & flags(facts, possible)))

    return Sound(extent, lambda facts: flags(facts, possible))


def _kinds(sure: str, unclear: str) -> Sound:
    clear, open_ = set(sure.split()), set(unclear.split())
    return _timbre(lambda t: t.kind in clear, lambda t: t.kind in clear | open_)


def _when(test: Callable[[Facts], Flags]) -> Sound:
    def extent(facts: Facts, looks: Extent) -> Extent:
        return looks.both(Extent(test(facts), test(facts)))

    return Sound(extent, any_object)


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

    return Sound(extent, any_object)


def _onset(facts: Facts) -> NDArray[np.float64]:
    return np.where(_heard(facts), facts.sounding.argmax(axis=0), np.inf)


def _end(facts: Facts) -> NDArray[np.float64]:
    """(N,) second after the last one in which the object sounds; infinite if it never does."""
    end = len(facts.sounding) - facts.sounding[::-1].argmax(axis=0)
    return np.where(_heard(facts), end, np.inf)


def _pause(facts: Facts) -> NDArray[np.float64]:
    """(N,) first second in which the object sounds no more; infinite if there is none."""
    stops = facts.sounding[:-1] & ~facts.sounding[1:]
    return np.where(stops.any(axis=0), stops.argmax(axis=0) + 1.0, np.inf)


def _falls_silent_first() -> Sound:
    def final(facts: Facts) -> NDArray[np.float64]:
        end = _end(facts)
        return np.where(end < len(facts.sounding), end, np.inf)

    by_pause, by_end = _least(_pause), _least(final)

    def extent(facts: Facts, looks: Extent) -> Extent:
        # Whoever pauses and goes on may be said to have fallen silent, or not.
        first, second = by_pause.extent(facts, looks), by_end.extent(facts, looks)
        return Extent(first.sure & second.sure, first.possible | second.possible)

    return Sound(extent, any_object)


SOUNDS: dict[str, Sound] = {
    # Timbres between the two are neither surely low nor surely high.
    "low": _timbre(lambda t: t.pitch <= 400, lambda t: t.pitch < 1000),
    "high": _timbre(lambda t: t.pitch >= 1000, lambda t: t.pitch > 400),
    "pulsed": _kinds("clicks bursts pulses bell", "tremolo chirp vibrato"),
    "steady": _kinds("harmonic odd_harmonic noise fm", "tremolo chirp vibrato"),
    "noisy": _kinds("noise bursts", "fm clicks"),
    "silent": _when(lambda facts: ~_heard(facts)),
    "sounding": _when(_heard),
    "together": _when(_accompanied),
    "alone": _when(lambda facts: _heard(facts) & ~_accompanied(facts)),
    "first": _least(_onset),
    "last": _least(lambda facts: np.where(_heard(facts), -_end(facts), np.inf)),
    "stops first": _falls_silent_first(),
    "longest": _least(
        lambda facts: np.where(_heard(facts), -facts.sounding.sum(axis=0), np.inf), margin=2.0
    ),
}
"""Word -> what it fits."""
