"""The models of the page, by names that tell them apart."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auralsam2.predictor import AuralSAM2VideoPredictor

SHIPPED = "auralsam2-mini"
MOST_RUNS = 2


def predictors_of(runs: Sequence[Path]) -> dict[str, AuralSAM2VideoPredictor]:
    """Load the best weights of each run, or the model that comes with the package.

    Args:
        runs: at most two run folders.

    Returns:
        By the last parts of the folders' paths in which they differ.

    Raises:
        ValueError: for more than two, or the same one twice.
        FileNotFoundError: where there is no such run, or it has no weights.
    """
    from auralsam2.predictor import AuralSAM2VideoPredictor

    if len(runs) > MOST_RUNS:
        raise ValueError(f"got {len(runs)} runs; the page compares {MOST_RUNS}")
    folders = [Path(os.path.expanduser(run)).resolve() for run in runs]
    if len(set(folders)) != len(folders):
        raise ValueError(f"got '{runs[0]}' twice; name two runs to compare them")
    predictors = [AuralSAM2VideoPredictor.from_run(folder) for folder in folders]
    found = dict(zip(names_of(folders), predictors, strict=True))
    found = found or {SHIPPED: AuralSAM2VideoPredictor.from_checkpoint()}
    for predictor in found.values():  # by default SAM2 forgets clicks on frames that have masks
        predictor.add_all_frames_to_correct_as_cond = True
    return found


def names_of(folders: Sequence[Path]) -> list[str]:
    """Return the shortest ends of paths by which they differ."""
    ends = (["/".join(folder.parts[-n:]) for folder in folders] for n in itertools.count(1))
    return next(names for names in ends if len(set(names)) == len(names))
