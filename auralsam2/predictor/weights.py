"""How loud an object's sound is: the factor of its audio prompts, frame by frame."""

from __future__ import annotations

import math
from collections.abc import Iterable


class AudioWeights:
    """Factors of one object: one for all frames, and others for single frames.

    Args:
        weight: of all frames; 0 is off.
    """

    def __init__(self, weight: float) -> None:
        self._usual, self._of_frames = weight, dict[int, float]()

    def at(self, frame: int) -> float:
        """The factor of a frame."""
        return self._of_frames.get(frame, self._usual)

    def set(self, weight: float, frames: Iterable[int] | None) -> None:
        """Another factor for some frames; ``None`` is all of them."""
        if frames is None:
            self._usual, self._of_frames = weight, {}
        else:
            self._of_frames |= dict.fromkeys(frames, weight)

    def first_sounding(self, num_frames: int) -> int | None:
        """The first frame that is not off; ``None`` where all are."""
        if not self._usual:
            return min((f for f, w in self._of_frames.items() if w), default=None)
        return next((f for f in range(num_frames) if self.at(f)), None)


def check_weight(weight: float) -> float:
    """Refuse what is no factor, by a ValueError; the weight as a float."""
    if not (math.isfinite(weight) and weight >= 0):
        raise ValueError(f"an audio weight is a number of at least 0 (0 is off), got {weight!r}")
    return float(weight)
