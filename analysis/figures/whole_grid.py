"""All figures of a grid that need neither weights nor data."""

from __future__ import annotations

from pathlib import Path

from analysis.figures import clicks, effects, efficiency, grid_points, training_curves
from analysis.runs.results import Results


def make_all(results: Results, folder: Path, notes: list[str]) -> list[Path]:
    """Write those that have something to show; ``notes`` gets what is left out, and why."""
    return [
        *grid_points.make(results, folder),
        *effects.make(results, folder, notes=notes),
        *training_curves.make(results, folder, notes=notes),
        *efficiency.make(results, folder, notes=notes),
        *clicks.make(results, folder),
    ]
