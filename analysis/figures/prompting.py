"""What sound beside clicks costs: frames a second of ways of prompting, and their parts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from analysis.figures import step_parts, style

COLUMNS = ("way", "event", "frames_per_second", "low", "high", "lost", "lost_cpu", "passes")
EVENTS = {
    "clip": "the clip",
    "rest": "again behind a click",
    "sound": "again, other weight of sound",
}
"""Event of a benchmark -> what is answered then."""
OTHER = "other"
"""What a benchmark calls time outside of all parts."""
_SHADES = ("0.3", "0.44", "0.58")
"""Of events: colours are of the parts beside them."""
_CPU = " of CPU time"
_HEIGHT, _BAR = 0.55, 0.25
"""Inches of a way, and the share of it that a bar takes."""


def collect(found: Mapping[str, Any]) -> pd.DataFrame:
    """Frames a second of every way and event, medians and quartiles.

    Args:
        found: ``prompting`` of a benchmark's JSON.

    Returns:
        Columns ``COLUMNS``; ``lost`` are shares of the reference's, NaN where it does no such
        thing, ``passes`` those of an image encoder a frame.
    """
    frames, clock = {"rest": found["again"]}, clock_of(found)
    rows = []
    for name, way in found["ways"].items():
        for event in EVENTS:
            if event not in way[clock]:
                continue
            seconds, count = way[clock][event], frames.get(event, found["num_frames"])
            speeds = [count / seconds[key] for key in ("median", "high", "low")]
            nothing = {"median": float("nan")}
            lost = [way[kind].get(event, nothing)["median"] for kind in ("lost", "lost_cpu")]
            rows.append((name, event, *speeds, *lost, way["passes"][event] / count))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def clock_of(found: Mapping[str, Any]) -> str:
    """By which time ways are compared: one thread's own, on which other load tells little."""
    conditions = found["conditions"]
    return "cpu" if (conditions["device"], conditions["num_threads"]) == ("cpu", 1) else "seconds"


def parts(found: Mapping[str, Any]) -> pd.DataFrame:
    """Seconds a frame of the clip's parts, as `step_parts` draws them."""
    rows = []
    for name, way in found["ways"].items():
        medians = {part: own["median"] / found["num_frames"] for part, own in way["parts"].items()}
        whole = sum(medians.values())
        named = {step_parts.REST if part == OTHER else part: own for part, own in medians.items()}
        rows += [("a frame", "", name, part, own, own / whole) for part, own in named.items()]
    return pd.DataFrame(rows, columns=list(step_parts.COLUMNS))


def draw(numbers: pd.DataFrame, panel: Axes) -> None:
    """Draw a group of bars a way, one an event."""
    names = list(dict.fromkeys(numbers["way"]))
    for index, (event, label) in enumerate(EVENTS.items()):
        rows = numbers[numbers["event"] == event]
        places = [names.index(name) + (index - 1) * _BAR for name in rows["way"]]
        ends = [rows["frames_per_second"] - rows["low"], rows["high"] - rows["frames_per_second"]]
        panel.barh(
            places,
            rows["frames_per_second"],
            0.9 * _BAR,
            xerr=ends,
            color=_SHADES[index],
            error_kw={"elinewidth": 0.6, "ecolor": "black"},
            label=label,
        )
    panel.set_yticks(range(len(names)), names)
    panel.yaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_locator(style.round_ticks(5))
    style.light_grid(panel, "x")


def make(found: Mapping[str, Any], folder: Path, name: str) -> list[Path]:
    """Write the figure of what `collect` takes as ``name.*`` into a folder; its paths."""
    numbers, of_parts = collect(found), step_parts.drawn(parts(found))
    height = _HEIGHT * len(found["ways"]) + 0.9
    with style.paper_panels("page", height, 1, 2, sharey=True) as (figure, ((left, right),)):
        draw(numbers, left)
        step_parts.draw(of_parts, [right])
        right.set_title("")
        on_cpu = found["conditions"]["device"] == "cpu"
        right.set_xlabel(f"milliseconds{_CPU * on_cpu} a frame of the clip")
        left.set_xlabel(f"frames a second{_CPU * (clock_of(found) == 'cpu')}")
        where = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.22)}
        left.legend(**where, ncols=3, columnspacing=1, handlelength=1, handletextpad=0.4)
        step_parts.legend(figure, of_parts)
        return style.save(figure, numbers, folder, name)
