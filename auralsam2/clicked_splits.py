"""Names of scores after clicks: ``SPLIT_clicks_COUNT``, with ``_unheard`` where without sound."""

from __future__ import annotations

import re
from typing import NamedTuple

UNCLICKED = "unclicked/"
"""Stands before a metric over the frames that never get a click."""

_CLICKED = re.compile(r"(?P<base>.+)_clicks_(?P<count>\d+)(?P<unheard>_unheard)?")


class Clicked(NamedTuple):
    """A split after corrective clicks."""

    base: str  # split whose clips it shows
    number: int  # of clicks
    heard: bool = True  # whether the sound had a part

    @property
    def name(self) -> str:
        """Of the split."""
        return f"{self.base}_clicks_{self.number}{'' if self.heard else '_unheard'}"

    @property
    def words(self) -> str:
        """The number of clicks, and whether the sound had no part."""
        return f"{self.number} click{'s' * (self.number != 1)}{'' if self.heard else ', no sound'}"


def parse_clicked(split: str) -> Clicked | None:
    """Return what clicks a split comes after; None for any other split."""
    match = _CLICKED.fullmatch(split)
    return Clicked(match["base"], int(match["count"]), not match["unheard"]) if match else None
