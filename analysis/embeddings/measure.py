"""The audio-visual space of a grid's runs: points drawn and measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from analysis.embeddings.points import Points, RunPoints
from analysis.embeddings.table import companions_of_runs
from analysis.measured_runs import MeasuredRuns, measure_runs
from analysis.runs.results import Results
from auralsam2.engine.run_folder import stored_config


class MeasuredEmbeddings(NamedTuple):
    """What came out."""

    settings: RunPoints  # of the drawing
    runs: MeasuredRuns[Points]  # the runs' points; none where no run has an audio-visual space
    # A row a run, space and level, see `analysis.embeddings.table.companions_of_runs`
    companions: pd.DataFrame
    level: int  # of the pyramid, -1 the coarsest of every run's own
    untrained: tuple[str, ...]  # cells whose projector no loss has trained

    @property
    def problems(self) -> list[str]:
        """What was left out and why, and what a reader must know."""
        random = "untrained projector: its projected space is a random projection"
        said = [f"{cell}: {random}" for cell in self.untrained]
        return [*self.runs.left_out, *said, *self.runs.notes]


def measure(
    results: Results, points: RunPoints, *, level: int = -1, **how: Any
) -> MeasuredEmbeddings:
    """Draw and measure the points of runs; see `analysis.measured_runs.measure_runs`.

    Args:
        results: finished runs.
        points: how they are drawn.
        level: of the pyramid, 0 the finest, -1 the coarsest of every run's own.
        **how: further arguments of `measure_runs`; cells are in the order of the panels.

    Raises:
        ValueError: as `measure_runs`, and for a level that no run has.
    """
    runs = measure_runs(results, points, **how)
    if runs.found:
        _check_level(runs.found.values(), level)
    untrained = _untrained(results, first_seeds(runs))
    return MeasuredEmbeddings(points, runs, companions_of_runs(runs.found), level, untrained)


def first_seeds(runs: MeasuredRuns[Points]) -> dict[str, int]:
    """Return cell -> the lowest seed that has points."""
    firsts: dict[str, int] = {}
    for cell, seed in runs.found:
        firsts.setdefault(cell, seed)
    return firsts


def _check_level(captures: Iterable[Points], level: int) -> None:
    most = max(points.num_levels for points in captures)
    if not -most <= level < most:
        raise ValueError(f"no run has a level {level}; pyramids have up to {most}, 0 the finest")


def _untrained(results: Results, firsts: Mapping[str, int]) -> tuple[str, ...]:
    """Return the cells whose first run has a projector that no loss has trained."""
    found = set()
    for run in results.runs.to_dict("records"):
        if firsts.get(str(run["cell"])) == run["seed"]:
            model = (stored_config(Path(str(run["run_dir"]))) or {}).get("model", {})
            loss = model.get("contrastive_loss")
            if loss is not None and loss.get("weight") == 0:
                found.add(str(run["cell"]))
    return tuple(cell for cell in firsts if cell in found)
