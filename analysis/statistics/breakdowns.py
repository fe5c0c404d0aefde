"""The difference of two cells, class by class and attribute by attribute: which clips carry it?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.runs.controls import Column
from analysis.runs.results import Results
from analysis.statistics.contrasts import contrasts
from analysis.statistics.crossed_means import USUAL
from analysis.statistics.score_arrays import Sample, ScoreArray, complete_groups, score_arrays
from analysis.statistics.significance import COUNTS, holm, infer_row

ALL = "all clips"
_FOUND = ("difference", "low", "high", "p", "p_holm", "significant", "varies", "remark")
BROKEN_DOWN = ("attribute", "bin", *_FOUND, *COUNTS[:2], "share", *(f"apart_{n}" for n in _FOUND))
"""Columns of `break_down`."""


class Bin(NamedTuple):
    """Some clips."""

    attribute: str  # that they are alike in
    name: str  # of what they have
    clips: Collection[str]  # names, those of derived splits with their part's, as in `ScoreArray`


def break_down(
    results: Results,
    cells: tuple[str, str],
    column: Column,
    bins: Sequence[Bin],
) -> pd.DataFrame:
    """Return the difference of the first cell from the second, over all clips and those of bins.

    Clips of several splits count alike. The bins of an attribute are one family of Holm's
    correction.

    Returns:
        Columns `BROKEN_DOWN`, the first row of `ALL`: the difference as in `significance.compare`;
        share, of the difference over all clips, that is the bin's (bins that overlap sum to more
        than one); and apart_*, the bin's difference minus that of all other clips, NaN without
        others. No row for a bin without clips that both cells have.
    """
    first, second = cells
    arrays = score_arrays(results, [column])
    if column not in arrays:
        return pd.DataFrame(columns=list(BROKEN_DOWN))
    (array,) = contrasts(arrays, {"": {first: 1.0, second: -1.0}}).values()
    array = array._replace(strata=np.zeros(len(array.clips), int))
    least, most = results.scale(column[1]).ends
    every = [Bin("", ALL, array.clips), *bins]
    rows = [row for own in every if (row := _row(array, own, most - least)) is not None]
    frame = pd.DataFrame(rows, columns=list(BROKEN_DOWN))
    if frame.empty:
        return frame
    for before in ("", "apart_"):
        for _, family in frame.groupby("attribute", sort=False):
            frame.loc[family.index, [f"{before}p_holm"]] = holm(family[f"{before}p"].tolist())
        frame[f"{before}significant"] = frame[f"{before}p_holm"].astype(float) < USUAL.alpha
    weights = frame["num_clips"] * frame["difference"]
    return frame.assign(share=weights / weights[0] if weights[0] else np.nan)


def attribute_bins(labels: pd.DataFrame) -> tuple[list[Bin], list[str]]:
    """Sort clips into bins.

    Args:
        labels: clip, size, empty, classes and seen, as of `analysis.clips.labels`.

    Returns:
        Bins of the object's size (thirds), the number of sources, silence, whether their classes
        were in training, and each class; and notes on attributes in which all clips are alike, or
        that the data do not tell.
    """
    bins: list[Bin] = []
    notes: list[str] = []
    for attribute, masks in (
        ("object size", _sizes(labels["size"].astype(float))),
        ("sources", _counts(labels["classes"])),
        ("silence", _silence(labels["empty"].astype(float))),
        ("training", _seen(labels["seen"])),
    ):
        held = {name: set(labels["clip"][mask]) for name, mask in masks.items() if mask.any()}
        if len(held) > 1:
            bins += [Bin(attribute, name, clips) for name, clips in held.items()]
        else:
            why = f"all clips are alike: {next(iter(held))}" if held else "the data do not tell"
            notes.append(f"no breakdown by {attribute}: {why}")
    heard: dict[str, set[str]] = {}
    for clip, own in zip(labels["clip"], labels["classes"], strict=True):
        for name in own or ():
            heard.setdefault(name, set()).add(clip)
    return bins + [Bin("class", name, heard[name]) for name in sorted(heard)], notes


def part_bins(array: ScoreArray, parts: Sequence[str]) -> list[Bin]:
    """Return the parts of a derived split, such as seen and unseen objects, as bins."""
    held = {part: {c for c in array.clips if c.startswith(f"{part}/")} for part in parts}
    return [Bin("split", part.replace("_", " "), clips) for part, clips in held.items()]


def _sizes(size: pd.Series) -> dict[str, pd.Series]:
    """Thirds of the clips that show an object."""
    if size.nunique() < 3:
        return {}
    low, high = size.quantile([1 / 3, 2 / 3])
    return {
        f"below {low:.1%} of the frame": size < low,
        f"{low:.1%} to {high:.1%}": (size >= low) & (size < high),
        f"{high:.1%} and more": size >= high,
    }


def _counts(classes: pd.Series) -> dict[str, pd.Series]:
    count = classes.map(lambda own: np.nan if own is None else len(own)).astype(float)
    return {
        "none": count == 0,
        "1 source": count == 1,
        "2 sources": count == 2,
        "3 and more": count > 2,
    }


def _silence(empty: pd.Series) -> dict[str, pd.Series]:
    return {
        "an object in every frame": empty == 0,
        "none in some frames": (empty > 0) & (empty < 1),
        "none at all": empty == 1,
    }


def _seen(seen: pd.Series) -> dict[str, pd.Series]:
    return {"all classes seen": seen.eq(True), "some class unseen": seen.eq(False)}


def _row(array: ScoreArray, own: Bin, widest: float) -> dict[str, Any] | None:
    """Return what `break_down` has of a bin by itself; None without a clip."""
    inside = np.isin(array.clips, list(own.clips))
    if (sample := _sample(_only(array, inside))) is None:
        return None
    _, num_seeds, num_clips = sample.values.shape
    row = {"attribute": own.attribute, "bin": own.name, **infer_row(sample, USUAL, widest)}
    row |= {"num_seeds": num_seeds, "num_clips": num_clips}
    apart = None if inside.all() else _sample(_apart(array, inside))
    found = {} if apart is None else infer_row(apart, USUAL, 2 * widest)
    return row | {f"apart_{key}": value for key, value in found.items()}


def _only(array: ScoreArray, inside: NDArray[Any]) -> ScoreArray:
    return array._replace(values=np.where(inside, array.values, np.nan))


def _apart(array: ScoreArray, inside: NDArray[Any]) -> ScoreArray:
    """Return scores whose mean over two strata is the bin's mean minus that of the others."""
    order = np.argsort(~inside, kind="stable")
    values = np.where(inside, 2 * array.values, -2 * array.values)[:, :, order]
    return array._replace(values=values, strata=(~inside[order]).astype(int))


def _sample(array: ScoreArray) -> Sample | None:
    return next((group.sample for group in complete_groups({("", ""): array})), None)
