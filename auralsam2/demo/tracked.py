"""What a person has asked of one object: whether the sound prompts it, clicks and boxes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from auralsam2.segment.overlay import colour_of

Point = tuple[float, float, bool]
"""x and y in parts of the picture's width and height, and whether it belongs to the object."""
Box = tuple[float, float, float, float]
"""x0, y0, x1, y1, likewise."""
HEAVIEST = 2.0
MOST_POINTS = 64


@dataclass
class FramePrompts:
    """Clicks on one frame."""

    points: list[Point] = field(default_factory=list)
    box: Box | None = None


@dataclass
class TrackedObject:
    """One object; nothing of a predictor."""

    obj_id: int
    sound: bool  # whether the sound prompts it
    weight: float = 1.0  # of the sound's prompts, 0 to HEAVIEST
    frames: dict[int, FramePrompts] = field(default_factory=dict)

    @property
    def hears(self) -> bool:
        """Whether the sound has a say in it."""
        return self.sound and self.weight > 0

    @property
    def prompted(self) -> bool:
        """Whether there is anything to segment it by."""
        return self.hears or bool(self.frames)

    def add_point(self, frame: int, x: float, y: float, positive: bool) -> None:
        """Add a click.

        Raises:
            ValueError: where it lies outside of the picture, or there are too many.
        """
        prompts = self.frames.get(frame, FramePrompts())
        if len(prompts.points) >= MOST_POINTS:
            raise ValueError(f"this object has {MOST_POINTS} clicks in this frame already")
        prompts.points.append((_inside(x), _inside(y), positive))
        self.frames[frame] = prompts

    def set_box(self, frame: int, corners: list[float]) -> None:
        """Set the box of a frame, whose corners may come in any order.

        Raises:
            ValueError: where it has no area or lies outside of the picture.
        """
        if len(corners) != 4:
            raise ValueError(f"got {len(corners)} numbers, a box has x0, y0, x1, y1")
        x0, y0, x1, y1 = map(_inside, corners)
        if x0 == x1 or y0 == y1:
            raise ValueError("the box has no area")
        prompts = self.frames.setdefault(frame, FramePrompts())
        prompts.box = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))

    def undo(self, frame: int) -> None:
        """Take back the last click of a frame, and the box after all clicks."""
        prompts = self.frames.get(frame)
        if prompts is None:
            return
        if prompts.points:
            prompts.points.pop()
        else:
            prompts.box = None
        if not prompts.points and prompts.box is None:
            del self.frames[frame]

    def set_sound(self, on: bool, weight: float) -> None:
        """Switch the sound on or off and set its weight.

        Raises:
            ValueError: for a weight outside of 0 to 2.
        """
        if not 0 <= weight <= HEAVIEST:
            raise ValueError(f"got a weight of {weight}, wanted 0 to {HEAVIEST:g}")
        self.sound, self.weight = on, weight

    def moved(self, before: Sequence[float], after: Sequence[float]) -> TrackedObject:
        """Return the same object of the same clip at other frames.

        Clicks go to the nearest frame; where those of several frames would meet, the nearest stay.

        Args:
            before: seconds of the frames that it has clicks on.
            after: seconds of the others.
        """
        found: dict[int, int] = {}
        for frame in self.frames:
            far = [abs(time - before[frame]) for time in after]
            to = far.index(min(far))
            if to not in found or far[to] < abs(after[to] - before[found[to]]):
                found[to] = frame
        return replace(self, frames={to: self.frames[frame] for to, frame in found.items()})

    def to_json(self) -> dict[str, object]:
        """Return what the page shows of it."""
        frames = {
            str(frame): {"points": prompts.points, "box": prompts.box}
            for frame, prompts in sorted(self.frames.items())
        }
        return {
            "id": self.obj_id, "colour": colour_of(self.obj_id), "sound": self.sound,
            "weight": self.weight, "frames": frames,
        }  # fmt: skip


def _inside(place: float) -> float:
    if not (math.isfinite(place) and 0 <= place <= 1):
        raise ValueError(f"got {place}, places in a picture are from 0 to 1")
    return float(place)
