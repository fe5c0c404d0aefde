"""What looking labels up by rank does to sampled pixels, over the size of the object.

The trials are measured by ``benchmarks/label_lookup.py`` on the sampling code that trains.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator, PercentFormatter

from analysis.figures import style

NAME = "label_lookup"
RULES = {"own": "own label (corrected)", "looked_up": "looked up by rank (released)"}
CHANCE = "a random pixel's label"
QUANTITIES = {
    "kept": "labelled object, of anchors on it",
    "labelled": "labelled object, of all anchors",
}
LOW, HIGH = 0.1, 0.9
_COLOURS = {"own": style.BLUE, "looked_up": style.RED}
_TICKS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.6)


class LabelLookup(NamedTuple):
    """What the figure shows.

    Attributes:
        summary: columns labels, area, quantity, num_trials, mean, low, high: the mean over
            placements of an object of that share of the frame, and the quantiles `LOW`, `HIGH`.
    """

    summary: pd.DataFrame


def collect(trials: pd.DataFrame) -> LabelLookup:
    """Summarise the placements of each size.

    Args:
        trials: a row a placement and rule with columns labels (a key of `RULES`), area in
            (0, 1), and one in [0, 1] for each of `QUANTITIES`.

    Raises:
        ValueError: if columns are missing or a rule is unknown.
    """
    missing = [column for column in ("labels", "area", *QUANTITIES) if column not in trials]
    if missing:
        raise ValueError(f"trials lack the columns {', '.join(missing)}; got {list(trials)}")
    unknown = sorted(set(trials["labels"]) - set(RULES))
    if unknown:
        raise ValueError(f"unknown labels {', '.join(unknown)}; known: {', '.join(RULES)}")
    long = trials.melt(["labels", "area"], list(QUANTITIES), var_name="quantity")
    groups = long.groupby(["labels", "area", "quantity"], sort=False)["value"]
    summary = groups.agg(num_trials="size", mean="mean").reset_index()
    for name, level in (("low", LOW), ("high", HIGH)):
        summary[name] = groups.quantile(level).to_numpy()
    return LabelLookup(summary)


def select(numbers: LabelLookup, labels: str, quantity: str) -> pd.DataFrame:
    """Return the rows of one line, by ascending area."""
    summary = numbers.summary
    chosen = (summary["labels"] == labels) & (summary["quantity"] == quantity)
    return summary[chosen].sort_values("area")


def draw(numbers: LabelLookup, panels: Sequence[Axes]) -> None:
    """Draw a quantity in each panel: a line for the mean, a band between the quantiles.

    Args:
        numbers: of `collect`.
        panels: as many as `QUANTITIES`.
    """
    for (quantity, title), panel in zip(QUANTITIES.items(), panels, strict=True):
        for labels, name in RULES.items():
            rows = select(numbers, labels, quantity)
            colour = _COLOURS[labels]
            panel.fill_between(
                rows["area"], rows["low"], rows["high"], color=colour, alpha=0.18, linewidth=0
            )
            panel.plot(
                rows["area"], rows["mean"], color=colour, marker="o", markersize=2.5, label=name
            )
        areas = np.geomspace(numbers.summary["area"].min(), numbers.summary["area"].max(), 100)
        # A pixel drawn at random belongs to the object as often as the object is large.
        panel.plot(areas, areas, color="0.35", linewidth=0.8, linestyle="--", label=CHANCE)
        panel.set_xscale("log")
        panel.xaxis.set_major_locator(FixedLocator(_TICKS))
        panel.xaxis.set_minor_locator(NullLocator())
        panel.xaxis.set_major_formatter(FuncFormatter(lambda area, _: f"{100 * area:g}%"))
        panel.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        panel.yaxis.grid(True, linewidth=0.4, color="0.88")
        panel.set_axisbelow(True)
        panel.set_ylim(0, 1.04)
        panel.set_ylabel(title)
        panel.set_xlabel("object's share of the frame")


def make(trials: pd.DataFrame, folder: Path) -> list[Path]:
    """Write ``label_lookup.pdf``, ``.png`` and ``.csv``."""
    numbers = collect(trials)
    with style.paper_style():
        figure = style.new_figure("page", 2.35)
        panels = figure.subplots(1, len(QUANTITIES), sharey=True)
        draw(numbers, list(panels))
        handles, names = panels[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside upper center", ncols=3)
        return style.save(figure, numbers.summary, folder, NAME)
