"""All figures of a grid that need neither weights nor data."""

from __future__ import annotations

from pathlib import Path

from analysis.figures import clicks, effects, efficiency, grid_points, training_curves
from analysis.runs.results import Results


def make_all(results: Results, folder: Path) -> list[Path]:
    """Write those that have something to show; the results' notes get what is left out, and why."""
    figures = (grid_points, effects, training_curves, efficiency, clicks)
    return [path for figure in figures for path in figure.make(results, folder)]
