"""How audio prompts fare in the mask decoder of finished runs: numbers, figures and a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from analysis.capture import SOUNDS, capture_dilution
from analysis.results import Results
from auralsam2.suggestions import unknown_name


class MeasuredDilution(NamedTuple):
    """What came out.

    Attributes:
        paths: of figures and tables; none where no run could be read.
        indices: D1 and D2 of every arm, pooled and seed by seed; see
            `analysis.dilution.dilution_indices`.
        problems: runs that were left out, and why.
    """

    paths: list[Path]
    indices: pd.DataFrame
    problems: list[str]


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
    progress: Callable[[Iterable[Any]], Iterable[Any]] = iter,
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
        progress: wraps the runs, e.g. `rich.progress.track`.

    Raises:
        ValueError: where no sound or an unknown cell is named; the message lists the known ones.
    """
    if not sounds:
        raise ValueError("sounds is empty; name at least one, e.g. 'swapped'")
    runs = _runs(results, cells)
    captures: dict[tuple[str, int], pd.DataFrame] = {}
    problems = []
    for run in progress(runs):
        arm = (str(run["cell"]), int(run["seed"]))
        try:
            captures[arm] = capture_dilution(
                Path(str(run["run_dir"])),
                sounds=sounds,
                max_clips=max_clips,
                split=split,
                overrides=dict(overrides),
                again=again,
            )
        except (ValueError, FileNotFoundError) as error:
            problems.append(f"{arm[0]}, seed {arm[1]}: {error}")
    if not captures:
        return MeasuredDilution([], pd.DataFrame(), problems)
    return _write(captures, folder, sounds[0], heads, problems)


def _runs(results: Results, cells: Sequence[str] | None) -> list[dict[Any, Any]]:
    """Return the runs of the cells that are wanted, in the order of the cells."""
    unknown = [cell for cell in cells or () if cell not in results.cells]
    if unknown:
        raise ValueError("; ".join(unknown_name("cell", cell, results.cells) for cell in unknown))
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
) -> MeasuredDilution:
    from analysis import dilution_table
    from analysis.dilution import clip_means_of_seeds, dilution_indices, over_seeds
    from analysis.figures import dilution_curves, dilution_heads, signal_retention, site_matrix

    by_seed = clip_means_of_seeds(captures)
    clips = over_seeds(by_seed)
    paths = dilution_curves.make(clips, folder, condition=sound)
    paths += dilution_curves.make_no_prompts(clips, folder)
    paths += site_matrix.make(clips, folder, condition=sound)
    paths += signal_retention.make(clips, folder, condition=sound)
    if heads:
        paths += dilution_heads.make(clips, folder, condition=sound)
    indices = dilution_indices(clips, by_seed)
    return MeasuredDilution(paths + dilution_table.write(indices, folder), indices, problems)
