"""Scores against the strength of corruptions: a line a method, three panels a corruption."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes

from analysis.figures import style
from analysis.figures.figure_text import legend_name
from analysis.robustness import table
from analysis.robustness.measure import MEAN, Axis, MeasuredRobustness
from analysis.runs.results import select

NAME = "robustness"
_COLUMNS, _BLOCK = 4, 3.0
"""Corruptions beside each other, and inches that their panels are high together."""
_ROOM = 1.1
"""Upper end of a panel, as a share of the largest mean: wider bands are cut."""


def draw(measured: MeasuredRobustness, axis: Axis, panels: Sequence[Axes]) -> None:
    """Draw one corruption: a panel for each of the metrics, means over strength and their bands.

    A band is the interval of what a strength has changed since the clean clips, which are paired
    with it, around the mean. Strengths stand side by side in their order; a pale line is at the one
    that changes nothing.
    """
    curves = measured.curves
    places = {strength: place for place, strength in enumerate(axis.strengths)}
    chosen = select(curves[curves["strength"] != MEAN], corruption=axis.corruption)
    chosen = chosen.assign(place=chosen["strength"].map(places)).sort_values("place")
    for end in ("low", "high"):
        chosen[end] = chosen["mean"] + (chosen[f"change_{end}"] - chosen["change"]).fillna(0.0)
    cells = list(dict.fromkeys(curves["cell"]))
    opacity = min(0.17, 0.4 / len(cells))  # so that the lines show through all of them
    for metric, panel in zip(measured.metrics, panels, strict=True):
        for index, cell in enumerate(cells):
            own = select(chosen, metric=metric, cell=cell)
            if not own.empty:
                look = style.look(index)
                line = {"color": look.colour, "marker": look.marker, "markersize": 2.5}
                shown = {**line, "linewidth": 0.8, "label": legend_name(cell)}
                style.line_with_band(panel, own, "place", opacity=opacity, **shown)
        panel.axvline(places[axis.clean], color="0.6", linewidth=0.5, zorder=0)
        panel.set_xticks(list(places.values()), [""] * len(places))
        panel.set_xlim(-0.3, len(places) - 0.7)
        panel.set_ylim(0, _ROOM * select(curves, metric=metric)["mean"].max())
        panel.yaxis.set_major_locator(style.round_ticks(4))
        style.light_grid(panel, "y")
    panels[0].set_title(axis.title)
    words = [table.strength_words(strength) for strength in axis.strengths]
    panels[-1].set_xticks(list(places.values()), words)
    panels[-1].set_xlabel(axis.label)


def make(measured: MeasuredRobustness, folder: Path) -> list[Path]:
    """Write ``robustness.pdf``, ``.png``, ``.csv``, ``.md``, ``.tex``; nothing of no corruption."""
    if not measured.axes:
        return []
    columns, high = min(_COLUMNS, len(measured.axes)), len(measured.metrics)
    blocks = -(-len(measured.axes) // columns)
    shape = 0.3 + _BLOCK * blocks, high * blocks, columns
    with style.paper_panels("page", *shape, sharey="row") as (figure, grid):
        # A row of panels a corruption.
        rows = grid.reshape(blocks, high, columns).swapaxes(1, 2).reshape(-1, high)
        for axis, panels in zip(measured.axes, rows, strict=False):
            draw(measured, axis, list(panels))
        for spare in rows[len(measured.axes) :].flat:
            spare.set_axis_off()
        for row, first in enumerate(grid[:, 0]):
            first.set_ylabel(measured.metrics[row % high])
        style.legend_above(figure, *grid[0, 0].get_legend_handles_labels())
        return style.save(figure, measured.curves, folder, NAME) + table.write(measured, folder)
