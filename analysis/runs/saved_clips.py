"""The clips whose predictions the runs have saved, cells side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.runs.controls import is_control
from analysis.runs.results import Results, select
from auralsam2.kept_files import read_archive
from auralsam2.messages import unknown_name

PREDICTIONS = "predictions.npz"
_ENDING = "/prediction"

Array = NDArray[Any]


class Row(NamedTuple):
    """The predictions of one cell for one clip of T frames."""

    label: str  # cell, and the kind of control where it is one
    seed: int  # of the run
    masks: Array  # (T, H, W), above 0 where predicted
    score: tuple[str, float] | None  # the clip's score as recorded, e.g. ``("J", 0.71)``, or None


class SavedClip(NamedTuple):
    """One clip with the predictions of all cells, T frames."""

    clip: str  # name
    seconds: tuple[int, ...]  # (T,) the second of the clip that each frame belongs to, from 1
    frames: Array  # (T, h, w, 3) uint8; the model's size, which may differ from the masks'
    truth: Array  # (T, H, W), above 0 on the object
    rows: tuple[Row, ...]  # predictions, cells in the order of the grid, then controls
    log_mel: Array  # (T, 96, 64), the sound of each frame's second, time before frequency


class FirstRun(NamedTuple):
    """The finished run of a cell with the lowest seed."""

    seed: int  # of the run
    folder: Path  # of the run


def load_clips(
    results: Results, *, num_clips: int, most_frames: int, cells: Sequence[str] | None = None
) -> list[SavedClip]:
    """Read the saved predictions of every cell's first seed.

    The clips are the first ones of the data set that all runs have saved, never picked by hand.
    The reference cell also gives its predictions under control conditions, where saved. A cell
    whose file is damaged is left out, with a note.

    Clips longer than ``most_frames`` are thinned evenly; all ``cells`` count where None.

    Returns:
        One entry a clip, ``num_clips`` at most; empty where no run has saved predictions.

    Raises:
        ValueError: for an unknown cell.
    """
    split = next((name for name in results.splits if not is_control(name)), None)
    known = first_runs(results)
    runs = {cell: known[cell] for cell in check_cells(results, cells)}
    saved = {}
    for cell, run in runs.items():
        try:
            if arrays := read_archive(run.folder / PREDICTIONS):
                saved[cell] = arrays
        except ValueError as error:
            results.notes.append(f"no saved clips of {cell}, seed {run.seed}: {error}")
    if split is None or not saved:
        return []
    seeds = {cell: runs[cell].seed for cell in saved}
    clips = _common_clips(saved, split)[:num_clips]
    return [_saved_clip(results, saved, seeds, split, clip, most_frames) for clip in clips]


def first_runs(results: Results) -> dict[str, FirstRun]:
    """Return cell -> its finished run with the lowest seed, in the order of the grid."""
    firsts: dict[str, FirstRun] = {}
    for run in results.runs.sort_values("seed", kind="stable").to_dict("records"):
        firsts.setdefault(str(run["cell"]), FirstRun(int(run["seed"]), Path(str(run["run_dir"]))))
    return {cell: firsts[cell] for cell in results.cells}


def saved_names(arrays: Mapping[str, Array], split: str) -> list[str]:
    """Return the clips of a split that an archive of `PREDICTIONS` holds, in its order."""
    start = f"{split}/"
    return [
        key.removeprefix(start).removesuffix(_ENDING)
        for key in arrays
        if key.startswith(start) and key.endswith(_ENDING)
    ]


def shown_clip(
    clip: str, kept: Array, rows: Sequence[Row], *, frames: Array, truth: Array, log_mel: Array
) -> SavedClip:
    """Return a clip with its frames ``kept`` alone, to which ``rows`` have been thinned."""
    seconds = tuple(int(index) + 1 for index in kept)
    return SavedClip(clip, seconds, frames[kept], truth[kept], tuple(rows), log_mel[kept])


def check_cells(results: Results, cells: Sequence[str] | None) -> list[str]:
    """Return cells that are asked for, each once; all of them where None.

    Raises:
        ValueError: for the first unknown one; the message lists those that are known.
    """
    for cell in cells or ():
        if cell not in results.cells:
            raise ValueError(unknown_name("cell", cell, results.cells))
    return list(dict.fromkeys(results.cells if cells is None else cells))


def clip_scores(
    results: Results, cell: str, seed: int, split: str, metric: str
) -> dict[str, float]:
    """Return a run's clip -> score."""
    own = select(results.scores, cell=cell, seed=seed, split=split, metric=metric)
    return dict(zip(own["clip"].astype(str), own["value"].astype(float), strict=True))


def thinned(num_frames: int, most: int) -> Array:
    """Return the numbers of the frames that are shown: first, last, evenly between; (T,)."""
    return np.unique(np.linspace(0, num_frames - 1, most).round().astype(int))


def to_frame(clips: list[SavedClip]) -> pd.DataFrame:
    """Return in numbers what the masks show.

    Returns:
        Columns clip, row, seed, second, truth_area, predicted_area (shares of the frame), iou
        (NaN where both are empty).
    """
    return pd.DataFrame(
        [
            {"clip": clip.clip, "row": row.label, "seed": row.seed, "second": second}
            | _compare(clip.truth[index] > 0, row.masks[index] > 0)
            for clip in clips
            for row in clip.rows
            for index, second in enumerate(clip.seconds)
        ]
    )


def _compare(truth: Array, mask: Array) -> dict[str, float]:
    union = int((truth | mask).sum())
    return {
        "truth_area": float(truth.mean()),
        "predicted_area": float(mask.mean()),
        "iou": int((truth & mask).sum()) / union if union else float("nan"),
    }


def _common_clips(saved: Mapping[str, Mapping[str, Array]], split: str) -> list[str]:
    """Return the clips that every run has saved, in the order of the first."""
    first, *others = (saved_names(arrays, split) for arrays in saved.values())
    return [clip for clip in first if all(clip in other for other in others)]


def _saved_clip(
    results: Results,
    saved: Mapping[str, Mapping[str, Array]],
    seeds: Mapping[str, int],
    split: str,
    clip: str,
    most_frames: int,
) -> SavedClip:
    first = next(iter(saved.values()))
    stem = f"{split}/{clip}"
    kept = thinned(len(first[f"{stem}/frames"]), most_frames)
    shown = [(cell, cell, split) for cell in saved]
    if results.reference in saved:
        name = str(results.reference)
        for control in filter(is_control, results.splits):
            kind = control.removeprefix(f"{split}_").replace("_", " ")
            shown.append((f"{name}, {kind}", name, control))
    rows = [
        Row(label, seeds[cell], masks[kept], _score(results, cell, seeds[cell], where, clip))
        for label, cell, where in shown
        if (masks := saved[cell].get(f"{where}/{clip}{_ENDING}")) is not None
    ]
    held = {name: first[f"{stem}/{name}"] for name in ("frames", "truth", "log_mel")}
    return shown_clip(clip, kept, rows, **held)


def _score(
    results: Results, cell: str, seed: int, split: str, clip: str
) -> tuple[str, float] | None:
    metric = results.metrics[0]
    value = clip_scores(results, cell, seed, split, metric).get(clip)
    return None if value is None else (metric, value)
