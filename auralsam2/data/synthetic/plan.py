"""What synthetic data set to write: its layout, counts, seed and sizes."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from auralsam2.data.synthetic.layouts import LAYOUTS
from auralsam2.data.synthetic.objects import CLASSES
from auralsam2.data.synthetic.scene import OBJECT_COUNTS, Scene
from auralsam2.messages import unknown_name

GENERATOR = 1
"""Version of scenes, sounds and files; raise it whenever the same seed gives other clips."""

SMALLEST = 16


class Plan(NamedTuple):
    """What to write.

    Attributes:
        layout: name of the layout.
        counts: clips of every split of the layout.
        seed: clip i is drawn from (seed, i) alone.
        size: side of the frames in pixels.
        num_frames: T, one frame a second; the layouts' own numbers are in ``LAYOUTS``.
        num_classes: the first so many of the classes occur.
        unseen: the last so many of these occur in the split of unseen objects only.
    """

    layout: str
    counts: tuple[int, ...]
    seed: int
    size: int = 224
    num_frames: int = 5
    num_classes: int = len(CLASSES)
    unseen: int = 0

    def scene(self, index: int) -> Scene:
        """Draw clip ``index``."""
        return LAYOUTS[self.layout].scene(self, index)

    def split(self, index: int) -> str:
        """Split of clip ``index``."""
        for split, count in zip(LAYOUTS[self.layout].splits, self.counts, strict=True):
            if index < count:
                return split
            index -= count
        raise IndexError(f"clip beyond the {sum(self.counts)} of the plan")

    def settings(self) -> dict[str, Any]:
        """What identifies the result, for comparison with a folder that exists."""
        found = {**self._asdict(), "counts": list(self.counts), "generator": GENERATOR}
        if not self.unseen:  # layouts without unseen objects do not speak of them
            del found["unseen"]
        return found

    @classmethod
    def from_settings(cls, settings: dict[str, Any]) -> Plan:
        """The plan that has these :meth:`settings`."""
        fields = {name: settings[name] for name in cls._fields if name in settings}
        return cls(**{**fields, "counts": tuple(fields["counts"])})

    def problems(self) -> list[str]:
        """What is wrong with it, one line each."""
        layout = LAYOUTS.get(self.layout)
        if layout is None:
            return [unknown_name("layout", self.layout, sorted(LAYOUTS))]
        most, fewest = len(CLASSES), max(OBJECT_COUNTS)
        found = []
        if len(self.counts) != len(layout.splits) or min(self.counts, default=0) < 1:
            named = ", ".join(layout.splits)
            found.append(
                f"counts must be {len(layout.splits)} of at least 1 ({named}), got {self.counts}"
            )
        if self.seed < 0:
            found.append(f"seed must be at least 0, got {self.seed}")
        if self.size < SMALLEST:
            found.append(f"size must be at least {SMALLEST}, got {self.size}")
        if self.num_frames < layout.fewest_frames:
            found.append(f"frames must be at least {layout.fewest_frames}, got {self.num_frames}")
        if not fewest <= self.num_classes <= most:
            found.append(f"classes must be from {fewest} to {most}, got {self.num_classes}")
        return found + layout.unseen_problems(self)


def split_counts(clips: int, layout: str = "v1m") -> tuple[int, ...]:
    """The layout's shares of a number of clips, at least one clip for each split."""
    rest = [max(1, clips * percent // 100) for percent in LAYOUTS[layout].percents]
    return clips - sum(rest), *rest


def asked_counts(name: str, clips: int, split: str | None, problems: list[str]) -> tuple[int, ...]:
    """Clips of every split as a user asks for them.

    Args:
        name: of the layout.
        clips: of all splits together, where ``split`` says nothing.
        split: counts joined by slashes.
        problems: what is wrong with the request is added here.

    Returns:
        The counts, none where they cannot be told.
    """
    layout = LAYOUTS[name]
    fewest = len(layout.splits)
    if split is None:
        if clips >= fewest:
            return split_counts(clips, name)
        problems.append(f"--clips must be at least {fewest}, one a split; got {clips}")
    elif re.fullmatch("/".join([r"[1-9]\d*"] * fewest), split):
        return tuple(int(part) for part in split.split("/"))
    else:
        problems.append(
            f"--split wants {fewest} counts ({'/'.join(layout.splits)}), at least 1 each, such as "
            f"{layout.example}, got {split!r}"
        )
    return ()
