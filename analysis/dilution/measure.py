"""How audio prompts fare in the mask decoders of a grid's runs, in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from analysis.dilution.indices import clip_means, dilution_indices, over_seeds
from analysis.dilution.readings import DilutionReadings
from analysis.measured_runs import MeasuredRuns, measure_runs
from analysis.options import name_problems
from analysis.runs.results import Results


class MeasuredDilution(NamedTuple):
    """What came out."""

    # The runs' readings; none where no run has a model that can be probed
    runs: MeasuredRuns[pd.DataFrame]
    clips: pd.DataFrame  # of `analysis.dilution.indices.over_seeds`
    # D1 and D2 of every arm, pooled and seed by seed; see
    # `analysis.dilution.indices.dilution_indices`
    indices: pd.DataFrame
    sound: str  # the counterfactual audio that figures show

    @property
    def problems(self) -> list[str]:
        """What was left out, and why."""
        return self.runs.left_out


def measure(results: Results, readings: DilutionReadings, **how: Any) -> MeasuredDilution:
    """Read the attention of runs where they lie; see `analysis.measured_runs.measure_runs`.

    Raises:
        ValueError: as `measure_runs`, and where no sound, or an unknown one, is named.
    """
    known = _known_sounds(results, readings.sounds)
    problems = name_problems("sound", readings.sounds, known)
    runs = measure_runs(results, readings, problems=problems, **how)
    if not runs.found:
        return MeasuredDilution(runs, pd.DataFrame(), pd.DataFrame(), readings.sounds[0])
    clips = clip_means(runs.found)
    return MeasuredDilution(runs, over_seeds(clips), dilution_indices(clips), readings.sounds[0])


def _known_sounds(results: Results, sounds: Sequence[str]) -> list[str]:
    from auralsam2 import config
    from auralsam2.counterfactuals import kinds
    from auralsam2.custom_imports import import_custom

    if not set(sounds) <= set(kinds()):
        for run_dir in map(Path, results.runs["run_dir"].astype(str)):
            # Runs may bring kinds of their own; a config that cannot be read is told of later.
            with suppress(ValueError, OSError, ImportError):
                import_custom(config.peek(run_dir / "config.py"), run_dir)
    return list(kinds())
