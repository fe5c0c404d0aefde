"""Legends above a figure, in as many columns as their names leave room for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from analysis.figures.cell_names import wrap_name
from analysis.figures.figure_text import room

# Inches of a letter, and of a line with its gaps.
_LETTER, _LINE = 0.055, 0.5


def legend_above(
    figure: Figure, handles: Sequence[Artist], names: Sequence[str], **options: Any
) -> None:
    """Write what lines and colours mean above the panels.

    Args:
        figure: with a layout engine.
        handles: of the lines.
        names: as many; those wider than the figure are broken.
        **options: of `matplotlib.legend.Legend`.
    """
    width = figure.get_figwidth()
    shown = [wrap_name(name, int((width - _LINE) / _LETTER)) for name in names]
    rooms = [max(map(room, name.split("\n"))) for name in shown]
    fitting = [n for n in range(1, len(shown) + 1) if _width(rooms, n) <= width]
    ncols = max(fitting, default=1)
    figure.legend(handles, shown, loc="outside upper center", ncols=ncols, **options)


def _width(rooms: Sequence[int], ncols: int) -> float:
    """Inches of a legend of so many columns, each as wide as its longest name."""
    widest = [column.max() for column in np.array_split(rooms, ncols)]
    return float(_LETTER * sum(widest) + _LINE * ncols)
