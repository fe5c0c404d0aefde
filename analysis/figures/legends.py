"""Legends above a figure, in as many columns as their names leave room for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.figure import Figure

from analysis.figures.cell_names import wrap_name
from analysis.figures.figure_text import room

# Inches of a letter, and of a line with its gaps.
_LETTER, _LINE = 0.065, 0.5


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
    longest = max(room(line) for name in shown for line in name.split("\n"))
    fitting = max(1, int(width / (_LETTER * longest + _LINE)))
    num_lines = -(-len(shown) // fitting)
    ncols = -(-len(shown) // num_lines)
    figure.legend(handles, shown, loc="outside upper center", ncols=ncols, **options)
