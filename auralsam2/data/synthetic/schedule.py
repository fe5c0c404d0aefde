"""Which objects of a synthetic clip sound in which second."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SILENT_SHARE = 0.13
"""Share of seconds in which nothing sounds, over many clips."""

PAIR_SHARE = 0.3
"""Share of the other seconds in which two objects sound together."""


def sample_schedule(
    rng: np.random.Generator, num_frames: int, num_objects: int
) -> NDArray[np.bool_]:
    """Draw which objects sound in which second, (T, N).

    Objects are exchangeable: every draw is uniform over them, so no visible property can tell
    the sounding ones apart. In clips of three or more frames the set changes at least once.
    """
    sounding = np.zeros((num_frames, num_objects), dtype=bool)
    boundaries = _segment_starts(rng, num_frames)
    previous: frozenset[int] | None = None
    for start, stop in zip(boundaries, [*boundaries[1:], num_frames], strict=True):
        chosen = _sounding_set(rng, num_objects)
        while chosen == previous:
            chosen = _sounding_set(rng, num_objects)
        sounding[start:stop, sorted(chosen)] = True
        previous = chosen
    return sounding


def _segment_starts(rng: np.random.Generator, num_frames: int) -> list[int]:
    """First frames of the stretches during which the sounding set stays the same."""
    if num_frames < 3:
        return [0]
    num_changes = min(int(rng.integers(1, 4)), num_frames - 1)
    changes = rng.choice(np.arange(1, num_frames), size=num_changes, replace=False)
    return [0, *sorted(int(change) for change in changes)]


def _sounding_set(rng: np.random.Generator, num_objects: int) -> frozenset[int]:
    if rng.random() < SILENT_SHARE:
        return frozenset()
    # Of two objects at most one sounds, else "every object" would be right too often.
    pair = num_objects > 2 and rng.random() < PAIR_SHARE * 1.5
    chosen = rng.choice(num_objects, size=2 if pair else 1, replace=False)
    return frozenset(int(index) for index in chosen)
