"""What a corruption of a clip is, of its sound or of its pictures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from math import inf
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from auralsam2.builder import Registry

CORRUPTIONS = Registry(
    "corruption",
    calls={
        "__call__(clip, strength, rng)": "sound: a Recording -> samples (L,channels); pictures: T "
        "of (H,W,3) uint8 RGB -> the same; rng, a numpy.random.Generator"
    },
    contract=".title, .measure and .unit, words; .usual strengths from weak to strong, .clean the "
    "one that changes nothing, .bounds of all; derives from SoundCorruption or PictureCorruption; "
    "own arguments have defaults",
    locations=["auralsam2.data.corruptions.*"],
    base="auralsam2.data.corruptions.base:Corruption",
)
Samples = NDArray[np.float64]
Pictures = Sequence[NDArray[np.uint8]]


class Recording(NamedTuple):
    """The sound of a clip, before any front end."""

    samples: Samples  # (L, channels), full scale 1
    rate: int  # samples a second
    # (count, rng) -> up to so many recordings of other clips, as (L, channels) at the same rate,
    # in which nothing sounds that the clip shows.
    unseen: Callable[[int, np.random.Generator], list[Samples]]


class Corruption(ABC):
    """Makes a clip worse by a strength; its truth stays.

    Nothing is random but what comes from the generator that is passed, which hangs on corruption
    and clip: every strength, seed and method gets the same draw. A subclass registers itself in
    ``CORRUPTIONS``; its arguments have defaults.

    Attributes:
        title: in words, as figures and tables call it.
        measure: what its strength is, in words.
        unit: of its strengths, with a space in front where one belongs there.
        usual: strengths from weak to strong, that which changes nothing left out.
        clean: the strength that changes nothing, infinite where it is approached from above.
        bounds: lowest and highest strength.
        seen: whether it changes what is seen, and not what is heard.
    """

    title: ClassVar[str]
    measure: ClassVar[str]
    unit: ClassVar[str] = ""
    usual: ClassVar[tuple[float, ...]]
    clean: ClassVar[float] = 0.0
    bounds: ClassVar[tuple[float, float]] = (-inf, inf)
    seen: ClassVar[bool]

    def problems(self, strengths: Sequence[float]) -> list[str]:
        """What is wrong with strengths that somebody asks for."""
        low, high = self.bounds
        wanted = f"wanted {low:g} to {high:g}{self.unit}"
        return [
            f"{type(self).__name__} got strength {strength:g}, {wanted}"
            for strength in strengths
            if not low <= strength <= high
        ]

    @abstractmethod
    def __call__(self, clip: Any, strength: float, rng: np.random.Generator) -> Any:
        """Corrupt a clip by a strength that is not the clean one; nothing is written to.

        See :class:`SoundCorruption` and :class:`PictureCorruption` for what a clip is.
        """


class SoundCorruption(Corruption):
    """Changes the samples, whatever front end an audio encoder has.

    Attributes:
        needs_unseen: whether it asks for sounds of other clips.
    """

    seen = False
    needs_unseen: ClassVar[bool] = False

    @abstractmethod
    def __call__(self, clip: Recording, strength: float, rng: np.random.Generator) -> Samples:
        """(L, channels) samples, as many as the recording has; they may go beyond full scale."""


class PictureCorruption(Corruption):
    """Changes the frames as they are in their files, before they are resized."""

    seen = True

    @abstractmethod
    def __call__(self, clip: Pictures, strength: float, rng: np.random.Generator) -> Pictures:
        """T pictures (H, W, 3) uint8 RGB, of the same sizes."""


def order(corruption: Corruption, strengths: Sequence[float]) -> list[float]:
    """The clean strength and others, as an axis shows them: from weak to strong, or by number."""
    return sorted({*strengths, corruption.clean}, reverse=corruption.clean == inf)
