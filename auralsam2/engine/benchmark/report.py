"""What a benchmark has found: numbers by part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np


def plain(found: Any) -> Any:
    """Named tuples as dicts, and other tuples as lists, wherever they stand."""
    if hasattr(found, "_asdict"):
        found = found._asdict()
    if isinstance(found, dict):
        return {key: plain(value) for key, value in found.items()}
    return [plain(value) for value in found] if isinstance(found, (list, tuple)) else found


class Spread(NamedTuple):
    """Median and quartiles."""

    median: float
    low: float  # first quartile
    high: float  # third quartile

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of at least one number."""
        low, median, high = np.quantile(values, (0.25, 0.5, 0.75))
        return cls(float(median), float(low), float(high))

    def times(self, factor: float) -> Spread:
        """The same of multiples."""
        return Spread(*(factor * value for value in self))


class Part(NamedTuple):
    """One part of a step, without the parts inside it."""

    seconds: Spread
    operations: int  # floating-point operations, two a multiply-add
    of_peak: float  # operations a second as a share of the device's peak
    peak_bytes: int  # largest memory while it ran


class Reading(NamedTuple):
    """What was measured of steps of one kind."""

    name: str  # of the step: ``training step``, a batch, or ``evaluated clip``
    parts: dict[str, Part]  # in the order of a step
    total: Spread  # seconds of a step while its parts are measured
    plain: Spread  # seconds of a step as it is
    cpu: Spread  # seconds that the cores worked for that, all together
    peak_operations: float  # a second, of a large matrix product
    dtype: str  # of that product
    steps: int  # that were measured
    shape: tuple[int, ...]  # (B, T, 3, S, S) of a batch's frames
    memory: str  # what is counted as memory

    @property
    def overhead(self) -> float:
        """What measuring adds to a step, as a share of the step as it is."""
        return self.total.median / self.plain.median - 1

    @property
    def peak_bytes(self) -> int:
        """Largest memory of a step."""
        return max(part.peak_bytes for part in self.parts.values())

    def share(self, part: str) -> float:
        """Share of a part of the sum of all."""
        return self.parts[part].seconds.median / sum(p.seconds.median for p in self.parts.values())

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        own = plain(self) | {"overhead": self.overhead, "peak_bytes": self.peak_bytes}
        for name, part in own["parts"].items():
            part["share"] = self.share(name)
        return dict(own)


class Report(NamedTuple):
    """What a benchmark of one config has found."""

    train: Reading | None  # of a training step; None where nothing is trained
    evaluation: Reading  # of an evaluated clip
    conditions: dict[str, Any]  # of the machine and the config

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "train": None if self.train is None else self.train.to_json(),
            "evaluation": self.evaluation.to_json(),
            "conditions": self.conditions,
        }


class Answered(NamedTuple):
    """What it takes one way of prompting to answer a person, by event where it says so.

    Events are ``first mask`` (from a video in memory to the mask of the frame that is clicked),
    ``clip`` (on to the masks of all frames), ``click`` (a second one, on the middle frame, to that
    frame's mask), ``rest`` (on to the masks of all frames behind it) and ``sound`` (it is given
    another weight, to new masks of all frames; of ways that hear alone).
    """

    seconds: dict[str, Spread]  # by event
    cpu: dict[str, Spread]  # by event, of all cores
    passes: dict[str, float]  # by event, frames that went through an image encoder
    # By event, shares of the reference's frames a second that are lost, round by round: by the
    # clock, and by the cores' time.
    lost: dict[str, Spread]
    lost_cpu: dict[str, Spread]
    parts: dict[str, Spread]  # seconds of the clip's parts; on the CPU of all cores


class Prompting(NamedTuple):
    """What a benchmark of prompting has found."""

    ways: dict[str, Answered]  # by name, in the order in which they took turns
    reference: str  # the way whose frames a second the others lose
    num_frames: int  # of the clip, one second apart
    again: int  # of them that are answered again behind the second click
    rounds: int  # that were measured
    conditions: dict[str, Any]  # of the machine and the config
