"""How audio prompts fare in the mask decoder of finished runs: numbers, figures and a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from analysis.asked_names import name_problems
from analysis.dilution.capture import SOUNDS, capture_dilution
from analysis.runs.lost_runs import why_lost
from analysis.runs.results import Results

Captures = dict[tuple[str, int], pd.DataFrame]


class MeasuredDilution(NamedTuple):
    """What came out.

    Attributes:
        paths: of figures and tables; none where no run has a model that can be probed.
        indices: D1 and D2 of every arm, pooled and seed by seed; see
            `analysis.dilution.indices.dilution_indices`.
        problems: runs that were left out, and why.
        lost: those of the problems that have other causes than a model that cannot be probed:
            weights or data that are gone, runs that are broken.
    """

    paths: list[Path]
    indices: pd.DataFrame
    problems: list[str]
    lost: list[str] = []


def measure(
    results: Results,
    folder: Path,
    *,
    cells: Sequence[str] | None = None,
    sounds: Sequence[str] = SOUNDS,
    max_clips: int | None = None,
    split: str = "test",
    heads: bool = False,
    again: bool = False,
    overrides: Mapping[str, Any] | Iterable[tuple[str, Any]] = (),
    track: Callable[[Iterable[Any]], Iterable[Any]] = iter,
) -> MeasuredDilution:
    """Read the attention of runs where they lie, draw it and write D1 and D2.

    Args:
        results: the runs; the numbers of each are kept in its folder.
        folder: of figures and tables.
        cells: those to measure, in this order; None for all.
        sounds: kinds of counterfactual audio; the first one is drawn.
        max_clips: the first ones of the split; None for all.
        split: whose clips.
        heads: draw single heads, too.
        again: also read runs whose folders have the numbers already.
        overrides: of the runs' configs, e.g. ``{"data.root": ...}`` where the data have moved.
        track: wraps the runs, e.g. `rich.progress.track`.

    Raises:
        ValueError: where no sound or cell, or an unknown one, is named, or ``max_clips`` is below
            1, with all problems at once; where no run could be read and some have other problems
            than a model that cannot be probed.
    """
    _check(results, cells, sounds, max_clips)
    settings: dict[str, Any] = {"sounds": tuple(sounds), "max_clips": max_clips, "split": split}
    settings |= {"again": again, "overrides": dict(overrides)}
    captures, unfit, lost = _capture(track(_runs(results, cells)), settings)
    if captures:
        return _write(captures, folder, sounds[0], heads, [*unfit, *lost], lost)
    if lost:
        raise ValueError("\n  ".join(["no run could be read:", *lost]))
    return MeasuredDilution([], pd.DataFrame(), unfit)


def _check(
    results: Results, cells: Sequence[str] | None, sounds: Sequence[str], max_clips: int | None
) -> None:
    problems = name_problems("cell", cells, results.cells)
    problems += name_problems("sound", sounds, _known_sounds(results, sounds))
    if max_clips is not None and max_clips < 1:
        problems.append(f"max_clips must be at least 1, got {max_clips}")
    if problems:
        raise ValueError("; ".join(problems))


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


def _capture(
    runs: Iterable[Any], settings: Mapping[str, Any]
) -> tuple[Captures, list[str], list[str]]:
    """Return numbers by cell and seed, runs whose models have none, and those that are lost."""
    from auralsam2.models.decoder_rows import CannotProbeError

    captures: Captures = {}
    unfit: list[str] = []
    lost: list[str] = []
    for run in runs:
        cell, seed = str(run["cell"]), int(run["seed"])
        try:
            captures[cell, seed] = capture_dilution(Path(str(run["run_dir"])), **settings)
        except CannotProbeError as error:
            unfit.append(f"{cell}, seed {seed}: {error}")
        except Exception as error:
            lost.append(f"{cell}, seed {seed}: {why_lost(error)}")
    return captures, unfit, lost


def _runs(results: Results, cells: Sequence[str] | None) -> list[dict[Any, Any]]:
    """Return the runs of the cells that are wanted, in the order of the cells."""
    wanted = results.cells if cells is None else tuple(dict.fromkeys(cells))
    chosen = results.runs[results.runs["cell"].isin(wanted)]
    order = {cell: place for place, cell in enumerate(wanted)}
    runs: list[dict[Any, Any]] = chosen.to_dict("records")
    return sorted(runs, key=lambda run: (order[run["cell"]], run["seed"]))


def _write(
    captures: Mapping[tuple[str, int], pd.DataFrame],
    folder: Path,
    sound: str,
    heads: bool,
    problems: list[str],
    lost: list[str],
) -> MeasuredDilution:
    from analysis.dilution import table as dilution_table
    from analysis.dilution.indices import clip_means_of_seeds, dilution_indices, over_seeds
    from analysis.figures import dilution_curves, dilution_matrices

    by_seed = clip_means_of_seeds(captures)
    clips = over_seeds(by_seed)
    paths = dilution_curves.make(clips, folder, condition=sound)
    paths += dilution_matrices.make(clips, folder, condition=sound, heads=heads)
    indices = dilution_indices(clips, by_seed)
    paths += dilution_table.write(indices, folder)
    return MeasuredDilution(paths, indices, problems, lost)
