"""All figures of a sweep."""

from __future__ import annotations

from pathlib import Path

from analysis.figures import sweep_history, sweep_importance, sweep_pareto, sweep_slice
from analysis.runs.sweep_results import load_sweep_results

FIGURES = (sweep_history, sweep_importance, sweep_slice, sweep_pareto)


def make(sweep: Path, folder: Path) -> list[Path]:
    """Write each figure that there are numbers for, as PDF, PNG and CSV.

    Args:
        sweep: folder of the sweep.
        folder: of the figures.

    Returns:
        The paths.
    """
    results = load_sweep_results(sweep)
    return [path for figure in FIGURES for path in figure.make(results, folder)]
