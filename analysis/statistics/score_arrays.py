"""Tidy scores to arrays of rows, seeds and clips, for statistics.

Axes: K rows (a cell's score on one column of a table), S seeds, C clips.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.runs.controls import Column, base_split
from analysis.runs.results import Results
from analysis.runs.splits import derived_splits

Array = NDArray[Any]


class ScoreArray(NamedTuple):
    """The scores of one column of a table."""

    values: Array  # (K, S, C), NaN where there is no score
    cells: tuple[str, ...]  # K names
    seeds: tuple[int, ...]  # S seeds
    clips: tuple[str, ...]  # C names; those of a derived split carry its part's name
    # (C,) number of the stratum that each clip is drawn from. The mean of a row is the mean over
    # strata of the means over their clips.
    strata: Array


class Sample(NamedTuple):
    """Rows with the same seeds and clips and without gaps."""

    values: Array  # (K, S, C)
    # Number of clips of every stratum, which lie side by side; they sum to C.
    strata: tuple[int, ...]


class Group(NamedTuple):
    """A sample and what its rows are."""

    labels: list[tuple[Column, str]]  # K pairs of column and cell
    sample: Sample  # the numbers


def score_arrays(results: Results, columns: Sequence[Column]) -> dict[Column, ScoreArray]:
    """Return the scores of columns, derived splits included; those without scores are left out."""
    cells = pd.Categorical(results.scores["cell"], categories=list(results.cells))
    seeds = pd.Categorical(results.scores["seed"])
    frame = results.scores.assign(cell=cells.codes, seed=seeds.codes)
    parts = derived_splits(results)
    wanted = {part for split, _ in columns for part in parts.get(split, (split,))}
    frame = frame[frame["split"].isin(wanted) & frame["metric"].isin({m for _, m in columns})]
    held: dict[Any, pd.DataFrame] = dict(iter(frame.groupby(["split", "metric"], sort=False)))
    shape = (len(results.cells), len(seeds.categories))
    arrays = {}
    for split, metric in columns:
        own = [(part, held.get((part, metric))) for part in parts.get(split, (split,))]
        if any(scores is None for _, scores in own):
            continue
        blocks = [_block(scores, shape) for _, scores in own if scores is not None]
        several = len(own) > 1
        arrays[(split, metric)] = ScoreArray(
            values=np.concatenate([values for values, _ in blocks], axis=2),
            cells=results.cells,
            seeds=tuple(int(seed) for seed in seeds.categories),
            clips=tuple(
                f"{base_split(part)}/{clip}" if several else clip
                for (part, _), (_, clips) in zip(own, blocks, strict=True)
                for clip in clips
            ),
            strata=np.repeat(np.arange(len(blocks)), [len(clips) for _, clips in blocks]),
        )
    return arrays


def complete_groups(arrays: Mapping[Column, ScoreArray]) -> Iterator[Group]:
    """Group rows by the seeds and clips that they have, so that each group is one array.

    A seed counts for a row where it has a score in every stratum; a clip where it has one in
    every seed that counts. Rows without a seed or with an empty stratum are left out.
    """
    alike: dict[tuple[tuple[str, ...], bytes], list[tuple[Column, ScoreArray]]] = {}
    for column, array in arrays.items():
        alike.setdefault((array.clips, array.strata.tobytes()), []).append((column, array))
    for members in alike.values():
        first = members[0][1]
        values = np.concatenate([array.values for _, array in members])
        labels = [(column, cell) for column, array in members for cell in array.cells]
        yield from _without_gaps(values, labels, first.strata)


def _block(scores: pd.DataFrame, shape: tuple[int, int]) -> tuple[Array, list[str]]:
    """Return (K, S, C) values and the C clips' names, sorted."""
    clips = pd.Categorical(scores["clip"])
    values = np.full((*shape, len(clips.categories)), np.nan)
    values[scores["cell"], scores["seed"], clips.codes] = scores["value"]
    return values, [str(clip) for clip in clips.categories]


def _without_gaps(
    values: Array, labels: list[tuple[Column, str]], strata: Array
) -> Iterator[Group]:
    present: Array = ~np.isnan(values)
    kinds = range(int(strata.max()) + 1)
    in_strata = [np.any(present[:, :, strata == kind], axis=2) for kind in kinds]
    seeds = np.asarray(np.logical_and.reduce(in_strata))
    clips = np.asarray((present | ~seeds[:, :, None]).all(1)) & np.any(seeds, axis=1, keepdims=True)
    patterns = np.concatenate([seeds, clips], axis=1)
    _, inverse = np.unique(patterns, axis=0, return_inverse=True)
    for pattern in range(int(inverse.max()) + 1):
        rows = np.flatnonzero(inverse.ravel() == pattern)
        held_seeds, held_clips = seeds[rows[0]], clips[rows[0]]
        sizes = tuple(int((strata[held_clips] == kind).sum()) for kind in kinds)
        if 0 in sizes:
            continue
        kept = values[np.ix_(rows, held_seeds, held_clips)]
        yield Group([labels[row] for row in rows], Sample(kept, sizes))
