"""What descriptions of objects speak of: the facts of a scene, and which objects words fit."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from auralsam2.data.synthetic.objects import CLASSES, ObjectClass
from auralsam2.data.synthetic.scene import Scene

Flags = NDArray[np.bool_]


class Facts(NamedTuple):
    """What descriptions speak of.

    Attributes:
        kinds: classes of the N objects.
        centre: (N, T, 2) x and y as a share of the side.
        radius: (N,) mean radius as a share of the side.
        sounding: (T, N), True where the object sounds in that second.
    """

    kinds: tuple[ObjectClass, ...]
    centre: NDArray[np.float64]
    radius: NDArray[np.float64]
    sounding: Flags


def facts_of(scene: Scene) -> Facts:
    """Read them off a scene."""
    return Facts(
        tuple(CLASSES[item.class_index] for item in scene.objects),
        np.stack([item.centre for item in scene.objects]),
        np.array([item.radius.mean() for item in scene.objects]),
        scene.sounding,
    )


class Extent(NamedTuple):
    """Objects that a word or a description fits.

    Attributes:
        sure: (N,), it fits.
        possible: (N,), it fits or may be meant.
    """

    sure: Flags
    possible: Flags

    def both(self, other: Extent) -> Extent:
        """What fits this and the other."""
        return Extent(self.sure & other.sure, self.possible & other.possible)


def any_object(facts: Facts) -> Flags:
    """All N objects."""
    return np.ones(len(facts.kinds), bool)
