"""Descriptions of objects by looks and sound, and whom they fit.

A word fits an object, does not, or leaves it open, as *left* does for what crosses the middle.
A description refers to an object where it surely fits that one and cannot fit any other.
"""

from __future__ import annotations

from typing import NamedTuple

from auralsam2.data.synthetic.facts import Extent, Facts, Flags, any_object
from auralsam2.data.synthetic.look_words import LOOKS
from auralsam2.data.synthetic.sound_words import SOUNDS


class Description(NamedTuple):
    """Words that are all to fit.

    Attributes:
        looks: keys of ``LOOKS``, one a slot at most.
        sound: key of ``SOUNDS``, or None.
    """

    looks: tuple[str, ...] = ()
    sound: str | None = None

    def seen(self, facts: Facts) -> Extent:
        """What the looks fit."""
        everything = Extent(any_object(facts), any_object(facts))
        for word in self.looks:
            everything = everything.both(LOOKS[word].extent(facts))
        return everything

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
