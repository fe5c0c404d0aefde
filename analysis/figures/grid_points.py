"""A grid at a glance: a point for every seed, a bar for their mean, a panel for every metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba

from analysis.figures import style
from analysis.figures.figure_text import legend_name, room, wrap_name
from analysis.runs.controls import is_control, split_header
from analysis.runs.results import Results, seed_means, select
from auralsam2.engine.metric_scales import MetricScale

NAME = "grid_points"
_GROUP_WIDTH = 0.76
_MARKER_PT = 2.8
_MOST_BESIDE = 5
_LINE_CHARACTERS = 26
_CHARACTER_INCHES = 0.05
_LINE_INCHES = 0.13


class GridPoints(NamedTuple):
    """What the figure shows."""

    cells: tuple[str, ...]  # from left to right
    splits: tuple[str, ...]  # within a cell, from left to right
    metrics: tuple[str, ...]  # a panel each
    points: pd.DataFrame  # columns cell, seed, split, metric, value: a seed's mean over clips
    means: pd.DataFrame  # columns cell, split, metric, value: the mean over seeds
    scales: Mapping[str, MetricScale]  # metric -> how to read it


def collect(results: Results) -> GridPoints:
    """Average the clips of each seed, and the seeds of each cell."""
    points = seed_means(results.scores)
    keys = ["cell", "split", "metric"]
    means = points.groupby(keys, sort=False)["value"].mean().reset_index()
    scales = {metric: results.scale(metric) for metric in results.metrics}
    return GridPoints(results.cells, results.splits, results.metrics, points, means, scales)


def draw(numbers: GridPoints, panels: Sequence[Axes]) -> None:
    """Draw one metric in each panel."""
    for metric, panel in zip(numbers.metrics, panels, strict=True):
        for index, split in enumerate(numbers.splits):
            _draw_split(numbers, metric, split, index, panel)
        panel.set_xlim(-0.6, len(numbers.cells) - 0.4)
        panel.set_ylim(*_limits(numbers, metric))
        lower = "" if numbers.scales[metric].higher_is_better else "\nlower is better"
        panel.set_ylabel(f"{metric} (mean over clips){lower}")
        style.light_grid(panel, "y")
        panel.tick_params(axis="x", length=0)
        _label_cells(numbers.cells, panel)


def make(results: Results, folder: Path) -> list[Path]:
    """Write ``grid_points.pdf``, ``.png`` and ``.csv``."""
    numbers = collect(results)
    num_panels = len(numbers.metrics)
    with style.paper_style():
        names = [wrap_name(cell, _LINE_CHARACTERS) for cell in numbers.cells]
        num_lines = max(name.count("\n") + 1 for name in names)
        if len(numbers.cells) > _MOST_BESIDE or num_panels > 2 or num_lines > 1:
            height = 1.25 * num_panels + 0.8 + _LINE_INCHES * (num_lines - 1)
            figure = style.new_figure("page", height)
            panels = figure.subplots(num_panels, 1, sharex=True, squeeze=False)[:, 0]
        else:
            figure = style.new_figure("column", 1.9)
            panels = figure.subplots(1, num_panels, squeeze=False)[0]
        draw(numbers, list(panels))
        bars, labels = panels[0].get_legend_handles_labels()
        dot = style.dot("o", "0.35", _MARKER_PT)
        shown = {"handlelength": 1.2, "columnspacing": 1.4}
        style.legend_above(figure, [*bars, dot], [*labels, "one seed"], **shown)
        return style.save(figure, numbers.points, folder, NAME)


def _draw_split(numbers: GridPoints, metric: str, split: str, index: int, panel: Axes) -> None:
    colour = style.look(index).colour
    inside = "white" if is_control(split) else colour
    width = _GROUP_WIDTH / len(numbers.splits)
    offset = (index - (len(numbers.splits) - 1) / 2) * width
    places = pd.Series(np.arange(len(numbers.cells)) + offset, index=list(numbers.cells))
    means = select(numbers.means, split=split, metric=metric).set_index("cell")["value"]
    panel.bar(
        places[means.index],
        means,
        width * 0.86,
        facecolor="white" if is_control(split) else to_rgba(colour, 0.35),
        edgecolor=colour,
        linewidth=0.7,
        label=legend_name(split_header(split)),
        zorder=2,
    )
    seeds = select(numbers.points, split=split, metric=metric)
    of_cell = seeds.groupby("cell")["value"]
    # From -1 to 1; a single seed stands in the middle.
    spread = 2 * of_cell.cumcount() - of_cell.transform("size") + 1
    spread /= (of_cell.transform("size") - 1).clip(lower=1)
    panel.plot(
        seeds["cell"].map(places) + spread * width * 0.22,
        seeds["value"],
        linestyle="none",
        marker="o",
        markersize=_MARKER_PT,
        markerfacecolor=inside,
        markeredgecolor=colour,
        markeredgewidth=0.7,
        zorder=3,
    )


def _limits(numbers: GridPoints, metric: str) -> tuple[float, float]:
    """Return the ends of a metric's axis, which metrics that are read alike share; 0 is on it.

    False areas, say, are small beside scores.
    """
    scale = numbers.scales[metric]
    alike = [m for m in numbers.metrics if numbers.scales[m] == scale]
    values = numbers.points.loc[numbers.points["metric"].isin(alike), "value"].dropna()
    lowest, highest = (0.0, 0.0) if values.empty else (values.min(), values.max())
    # Bars stand on 0; without bounds nothing is known of what is small.
    low, high = 1.08 * min(0.0, float(lowest)), 1.08 * max(0.0, float(highest))
    if scale.bounds is not None:
        low, high = max(low, scale.bounds[0]), min(max(high, 0.054), scale.bounds[1])
    return (low, high) if low < high else (0.0, 0.054)


def _label_cells(cells: Sequence[str], panel: Axes) -> None:
    names = [wrap_name(cell, _LINE_CHARACTERS) for cell in cells]
    panel.set_xticks(range(len(cells)), names)
    longest = max(room(line) for name in names for line in name.split("\n"))
    inches = panel.bbox.width / panel.figure.dpi
    if (longest + 2) * _CHARACTER_INCHES * len(cells) > inches:
        style.slant_labels(panel, 30)
