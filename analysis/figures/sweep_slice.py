"""Scores of a sweep over each of its parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.ticker import MaxNLocator, NullFormatter, StrMethodFormatter
from numpy.typing import NDArray

from analysis.figures import style
from analysis.figures.figure_text import wrap_name
from analysis.runs.cell_names import short_choices, short_names
from analysis.runs.results import select
from analysis.runs.sweep_results import SweepResults

NAME = "sweep_slice"
COLOURS = "viridis"
_MOST_BESIDE = 3
_LINE_CHARACTERS = 14


class SweepSlice(NamedTuple):
    """What the figure shows."""

    panels: tuple[tuple[str, str], ...]  # objective and parameter of each panel
    parameters: Mapping[str, Mapping[str, Any]]  # as in `SweepResults`
    # Columns objective, parameter, number, state, setting (of a choice a text), value.
    points: pd.DataFrame


def collect(results: SweepResults) -> SweepSlice:
    """Take the trials that have a score, complete or pruned."""
    scored = results.trials[results.trials["state"].isin(["complete", "pruned"])]
    panels = [(o, p) for o in results.directions for p in results.parameters]
    parts = []
    for objective, parameter in panels:
        part = scored[["number", "state"]].copy()
        part.insert(0, "objective", objective)
        part.insert(1, "parameter", parameter)
        part["setting"] = scored[parameter]
        part["value"] = scored[objective]
        parts.append(part.dropna(subset=["setting", "value"]).astype({"setting": object}))
    return SweepSlice(tuple(panels), results.parameters, pd.concat(parts, ignore_index=True))


def draw(numbers: SweepSlice, panels: Sequence[Axes], norm: Normalize) -> None:
    """Draw a parameter in each panel, later trials lighter, pruned ones hollow."""
    names = short_names(dict.fromkeys(parameter for _, parameter in numbers.panels))
    for (objective, parameter), panel in zip(numbers.panels, panels, strict=True):
        own = select(numbers.points, objective=objective, parameter=parameter)
        _draw_points(numbers, own, parameter, panel, norm)
        panel.set_xlabel(names[parameter])
        style.light_grid(panel, "y")


def _draw_points(
    numbers: SweepSlice, points: pd.DataFrame, parameter: str, panel: Axes, norm: Normalize
) -> None:
    positions, stated = points["setting"], numbers.parameters[parameter]
    if "choices" in stated:
        choices = [str(choice) for choice in stated["choices"]]
        positions = positions.map(choices.index)
        _show_choices(choices, panel)
    else:
        _show_range(float(stated["low"]), float(stated["high"]), bool(stated.get("log")), panel)
    complete = points["state"] == "complete"
    for shown, hollow in ((complete, False), (~complete, True)):
        rgba = ScalarMappable(norm, COLOURS).to_rgba(points["number"][shown].to_numpy())
        colours = [tuple(row) for row in rgba.tolist()]
        panel.scatter(
            positions[shown].astype(float),
            points["value"][shown],
            s=11,
            linewidths=0.8,
            edgecolors=colours,
            facecolors="white" if hollow else colours,
            zorder=2 if hollow else 3,
        )


def _show_choices(choices: Sequence[str], panel: Axes) -> None:
    panel.set_xticks(
        range(len(choices)),
        [wrap_name(choice, _LINE_CHARACTERS) for choice in short_choices(choices)],
    )
    panel.set_xlim(-0.5, len(choices) - 0.5)
    style.slant_labels(panel, 20)


def _show_range(low: float, high: float, log: bool, panel: Axes) -> None:
    """Show all that could be drawn, so that the edges of the space are seen."""
    if log:
        margin = (high / low) ** 0.05
        panel.set_xscale("log")
        panel.set_xlim(low / margin, high * margin)
        panel.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        minor = NullFormatter() if high / low >= 10 else StrMethodFormatter("{x:g}")
        panel.xaxis.set_minor_formatter(minor)
    else:
        margin = 0.05 * (high - low)
        panel.set_xlim(low - margin, high + margin)
        panel.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=high - low > 1))


def make(results: SweepResults, folder: Path) -> list[Path]:
    """Write ``sweep_slice.pdf``, ``.png`` and ``.csv``; nothing where no trial has a score."""
    numbers = collect(results)
    if numbers.points.empty:
        return []
    columns = min(_MOST_BESIDE, len(results.parameters))
    a_row = math.ceil(len(results.parameters) / columns)
    rows = a_row * len(results.directions)
    with style.paper_panels("page", 1.5 * rows + 0.3, rows, columns) as (figure, axes):
        panels: list[Axes] = []
        for index, objective in enumerate(results.directions):
            own = axes[index * a_row : (index + 1) * a_row]
            _share_scores(own, objective)
            panels += own.flat[: len(results.parameters)].tolist()
            for spare in own.flat[len(results.parameters) :]:
                spare.set_visible(False)
        last = max(1, int(results.trials["number"].max()))
        # The lightest colours are hard to see on white.
        norm = Normalize(0, last * 1.15)
        draw(numbers, panels, norm)
        bar = figure.colorbar(
            ScalarMappable(norm, COLOURS), ax=list(axes.flat), aspect=40, pad=0.02
        )
        bar.set_label("trial (hollow: pruned)")
        bar.ax.set_ylim(0, last)
        bar.ax.yaxis.set_major_locator(MaxNLocator(integer=True))
        return style.save(figure, numbers.points, folder, NAME)


def _share_scores(axes: NDArray[Any], objective: str) -> None:
    """Let all panels of an objective have one scale, named at the left."""
    for panel in axes.flat[1:]:
        panel.sharey(axes[0, 0])
    for panel in axes[:, 1:].flat:
        panel.tick_params(labelleft=False)
    for panel in axes[:, 0]:
        panel.set_ylabel(objective)
