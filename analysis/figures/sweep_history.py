"""How a sweep went: every trial's score, the best so far, and what was stopped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from analysis.figures import style
from analysis.runs.sweep_results import SweepResults

NAME = "sweep_history"


class SweepHistory(NamedTuple):
    """What the figure shows.

    Attributes:
        objectives: a panel each.
        points: columns objective, number, state, base, value, best_so_far; a trial without a
            value has none; the best so far is that of complete trials.
    """

    objectives: tuple[str, ...]
    points: pd.DataFrame


def collect(results: SweepResults) -> SweepHistory:
    """Follow the best value of each objective over the trials."""
    parts = []
    for objective, direction in results.directions.items():
        part = results.trials[["number", "state", "base"]].copy()
        part.insert(0, "objective", objective)
        part["value"] = results.trials[objective]
        complete = part["value"].where(part["state"] == "complete")
        part["best_so_far"] = complete.cummax() if direction == "maximize" else complete.cummin()
        part["best_so_far"] = part["best_so_far"].ffill()
        parts.append(part)
    return SweepHistory(tuple(results.directions), pd.concat(parts, ignore_index=True))


def draw(numbers: SweepHistory, panels: Sequence[Axes]) -> None:
    """Draw an objective in each panel.

    Args:
        numbers: of `collect`.
        panels: as many as objectives.
    """
    for objective, panel in zip(numbers.objectives, panels, strict=True):
        points = numbers.points[numbers.points["objective"] == objective]
        line = points.dropna(subset="best_so_far")
        panel.step(
            line["number"], line["best_so_far"], where="post", color=style.BLUE, label="best so far"
        )
        _scatter(panel, points[points["state"] == "complete"], "complete", True)
        _scatter(panel, points[points["state"] == "pruned"], "pruned, last score", False)
        base = points[points["base"] & points["value"].notna()]
        if len(base):
            panel.axhline(
                base["value"].iloc[0], color="0.35", linewidth=0.8, linestyle="--", label="base"
            )
        failed = points[points["state"] == "failed"]
        if len(failed):
            bottom = panel.get_ylim()[0]
            panel.plot(
                failed["number"],
                [bottom] * len(failed),
                linestyle="none",
                marker="x",
                markersize=3.5,
                color=style.RED,
                clip_on=False,
                label="failed",
            )
            panel.set_ylim(bottom=bottom)
        panel.set_ylabel(objective)
        panel.yaxis.grid(True, linewidth=0.4, color="0.88")
        panel.set_axisbelow(True)
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panels[-1].set_xlabel("trial")


def make(results: SweepResults, folder: Path) -> list[Path]:
    """Write ``sweep_history.pdf``, ``.png`` and ``.csv``; nothing where nothing has ended."""
    numbers = collect(results)
    if numbers.points["value"].notna().sum() == 0:
        return []
    with style.paper_style():
        count = len(numbers.objectives)
        figure = style.new_figure("column", 1.35 * count + 0.75)
        panels = list(figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0])
        draw(numbers, panels)
        entries = {
            label: handle
            for panel in panels
            for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)
        }
        figure.legend(
            entries.values(), entries.keys(), loc="outside upper center", ncols=2, handlelength=1.4
        )
        return style.save(figure, numbers.points, folder, NAME)


def _scatter(panel: Axes, points: pd.DataFrame, label: str, filled: bool) -> None:
    if len(points):
        panel.plot(
            points["number"],
            points["value"],
            linestyle="none",
            marker="o",
            markersize=3,
            color=style.BLUE if filled else style.GREY,
            markerfacecolor=style.BLUE if filled else "white",
            label=label,
        )
