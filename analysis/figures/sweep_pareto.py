"""What a sweep trades: one objective against another, or a single one against the model's size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter

from analysis.figures import style
from analysis.runs.sweep_results import SIZE, SweepResults
from analysis.statistics.pareto import pareto_front

NAME = "sweep_pareto"
_COUNTS = {"num_trainable": "trainable parameters", "num_parameters": "parameters"}


class SweepPareto(NamedTuple):
    """What the figure shows.

    Attributes:
        vertical: the first objective.
        horizontal: the others, a panel each.
        directions: of all of them.
        points: columns number, base, front, and the objectives: complete trials; ``front`` where
            no other trial is at least as good in everything and better in something.
    """

    vertical: str
    horizontal: tuple[str, ...]
    directions: dict[str, str]
    points: pd.DataFrame


def collect(results: SweepResults) -> SweepPareto | None:
    """Find the trials that no other one beats.

    Returns:
        None where there is nothing to trade: one objective, and no sizes beside it.
    """
    directions = dict(results.directions)
    if len(directions) == 1 and SIZE in results.trials:
        directions.setdefault(SIZE, "minimize")
    names = list(directions)
    points = results.complete().dropna(subset=names)[["number", "base", *names]]
    if len(names) < 2 or points.empty:
        return None
    signs = np.array([1.0 if directions[name] == "minimize" else -1.0 for name in names])
    losses = points[names].to_numpy(float) * signs
    points = points.reset_index(drop=True)
    points.insert(2, "front", pareto_front(losses))
    return SweepPareto(names[0], tuple(names[1:]), directions, points)


def draw(numbers: SweepPareto, panels: Sequence[Axes]) -> None:
    """Draw the first objective over each of the others.

    Args:
        numbers: of `collect`.
        panels: as many as `SweepPareto.horizontal`.
    """
    points = numbers.points
    for name, panel in zip(numbers.horizontal, panels, strict=True):
        dots: dict[str, Any] = dict(linestyle="none", marker="o", markersize=3)
        others, front = points[~points["front"]], points[points["front"]].sort_values(name)
        panel.plot(others[name], others[numbers.vertical], color=style.GREY, label="trial", **dots)
        if len(numbers.horizontal) == 1:
            # Between two points of the front the worse one is what can be had.
            where: Literal["post", "pre"] = (
                "post" if numbers.directions[name] == "minimize" else "pre"
            )
            panel.step(
                front[name], front[numbers.vertical], where=where, color=style.RED, linewidth=0.8
            )
        panel.plot(front[name], front[numbers.vertical], color=style.RED, label="front", **dots)
        base = points[points["base"]]
        panel.plot(
            base[name],
            base[numbers.vertical],
            linestyle="none",
            marker="D",
            markersize=6,
            color="0.2",
            markerfacecolor="none",
            label="base",
        )
        if name in _COUNTS:
            panel.xaxis.set_major_formatter(EngFormatter(sep=""))
        panel.set_xlabel(_COUNTS.get(name, name))
        panel.yaxis.grid(True, linewidth=0.4, color="0.88")
        panel.set_axisbelow(True)
    panels[0].set_ylabel(numbers.vertical)


def make(results: SweepResults, folder: Path) -> list[Path]:
    """Write ``sweep_pareto.pdf``, ``.png`` and ``.csv``; nothing where `collect` has none."""
    numbers = collect(results)
    if numbers is None:
        return []
    with style.paper_style():
        count = len(numbers.horizontal)
        figure = style.new_figure("column" if count == 1 else "page", 2.2)
        panels = list(figure.subplots(1, count, sharey=True, squeeze=False)[0])
        draw(numbers, panels)
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=3)
        return style.save(figure, numbers.points, folder, NAME)
