"""Where the time of a training step and of an evaluated clip goes: a bar for each, in parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from analysis.figures import style
from analysis.figures.figure_text import legend_name

COLUMNS = ("step", "axis", "value", "part", "seconds", "share")
SMALL = 0.02
"""Parts below this share of every bar are drawn as one."""
REST = "the rest"
_HATCHES = ("", "////", "....")
_BAR, _ROOM = 0.28, 0.55
"""Inches of a bar, and of a panel beside its bars."""


def collect(found: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Median seconds of every part, in the order of a step.

    Args:
        found: as the JSON of a benchmark has it: ``axis``, what varied, and the reports in
            ``values``; the axis and its one value are empty where nothing did.

    Returns:
        Columns ``COLUMNS``.
    """
    rows = [
        (reading["name"], case["axis"], value, name, part["seconds"]["median"], part["share"])
        for case in found
        for value, report in case["values"].items()
        for reading in (report["train"], report["evaluation"])
        if reading is not None
        for name, part in reading["parts"].items()
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def drawn(numbers: pd.DataFrame) -> pd.DataFrame:
    """The same with all that is small in every bar as one part, the last."""
    largest = numbers.groupby("part")["share"].max()
    small = set(largest.index[largest < SMALL])
    named = numbers.assign(part=numbers["part"].where(~numbers["part"].isin(small), REST))
    summed = named.groupby(list(COLUMNS[:4]), sort=False)[["seconds", "share"]].sum().reset_index()
    return summed.sort_values("part", key=lambda names: names == REST, kind="stable")


def draw(numbers: pd.DataFrame, panels: Sequence[Axes]) -> None:
    """Draw a panel a kind of step and axis, with a bar a value."""
    looks = _looks(numbers)
    groups = numbers.groupby(["step", "axis"], sort=False)
    for ((step, axis), rows), panel in zip(groups, panels, strict=True):
        values = list(dict.fromkeys(rows["value"]))
        ends = dict.fromkeys(values, 0.0)
        for row in rows.to_dict("records"):
            colour, hatch = looks[str(row["part"])]
            value, width = row["value"], 1000 * row["seconds"]
            at = values.index(value), width, 0.75, ends[value]
            panel.barh(*at, color=colour, hatch=hatch, edgecolor="white", linewidth=0.4)
            ends[value] += width
        named = [legend_name(f"{axis} {value}".strip()) for value in values if value]
        panel.set_yticks(range(len(named)), named)
        panel.invert_yaxis()
        panel.set_title(str(step))
        style.light_grid(panel, "x")
        panel.xaxis.set_major_locator(style.round_ticks(6))
    panels[-1].set_xlabel("milliseconds")


def make(found: Iterable[Mapping[str, Any]], folder: Path, name: str) -> list[Path]:
    """Write the figure of what `collect` takes as ``name.*`` into a folder; its paths."""
    numbers = collect(found)
    shown = drawn(numbers)
    groups = shown.groupby(["step", "axis"], sort=False)["value"].nunique()
    heights = [_BAR * count + _ROOM for count in groups]
    shape = sum(heights) + _ROOM, len(heights)
    with style.paper_panels("page", *shape, height_ratios=heights) as (figure, panels):
        draw(shown, list(panels[:, 0]))
        legend(figure, shown)
        return style.save(figure, numbers, folder, name)


def legend(figure: Figure, numbers: pd.DataFrame) -> None:
    """Name the parts above the panels."""
    looks = _looks(numbers)
    patches = [Patch(facecolor=c, hatch=h, edgecolor="white") for c, h in looks.values()]
    names = [legend_name(part) for part in looks]
    style.legend_above(figure, patches, names, handlelength=1.2, handletextpad=0.4)


def _looks(numbers: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Colour and hatch of every part; what is left is grey."""
    count = len(style.PALETTE)
    looks = {
        str(part): (style.PALETTE[i % count], _HATCHES[i // count % len(_HATCHES)])
        for i, part in enumerate(p for p in dict.fromkeys(numbers["part"]) if p != REST)
    }
    return {**looks, REST: (style.GREY, "")} if REST in set(numbers["part"]) else looks
