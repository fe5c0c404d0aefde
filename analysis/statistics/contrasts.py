"""Weighted sums of cells: differences, effects of an axis, interactions, real minus swapped sound.

All are of scores on the same clip with the same seed: sum over cells of weight * score[cell][s, c].
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from analysis.runs.controls import Column
from analysis.runs.results import Results
from analysis.statistics.score_arrays import Sample, ScoreArray, complete_groups, score_arrays
from auralsam2.messages import unknown_name

Weights = Mapping[str, float]
"""Cell -> weight of its score."""


def contrast_of(results: Results, weights: Mapping[tuple[str, Column], float]) -> Sample | None:
    """Return a contrast of cells on columns, as of two cells, or real minus swapped sound of one.

    Clips are paired by their names, those of derived splits by their parts' names, too; a control
    has the names of the split whose clips it shows.

    Returns:
        One row of values (1, S, C) on the S seeds and C clips that all of them have; None where
        they share none.

    Raises:
        ValueError: for a cell that is not known.
    """
    assert weights
    for cell, _ in weights:
        if cell not in results.cells:
            raise ValueError(unknown_name("cell", cell, results.cells))
    columns = list(dict.fromkeys(column for _, column in weights))
    arrays = score_arrays(results, columns)
    if len(arrays) < len(columns):
        return None
    paired = _on_common_clips(arrays)
    first = paired[columns[0]]
    if set(first.strata) != set(arrays[columns[0]].strata):
        return None
    values = sum(
        weight * paired[column].values[first.cells.index(cell)]
        for (cell, column), weight in weights.items()
    )
    row = first._replace(values=np.asarray(values)[None], cells=("",))
    return next((group.sample for group in complete_groups({columns[0]: row})), None)


def contrasts(
    arrays: Mapping[Column, ScoreArray], rows: Mapping[str, Weights]
) -> dict[Column, ScoreArray]:
    """Return several contrasts on each column; their names stand in the place of cells."""
    made = {}
    for column, array in arrays.items():
        of_cell = dict(zip(array.cells, array.values, strict=True))
        own = [sum(weight * of_cell[cell] for cell, weight in row.items()) for row in rows.values()]
        values = np.reshape(own, (-1, *array.values.shape[1:]))
        made[column] = array._replace(values=values, cells=tuple(rows))
    return made


def _on_common_clips(arrays: Mapping[Column, ScoreArray]) -> dict[Column, ScoreArray]:
    """Return the arrays on the clips that all of them have, in the first one's order."""
    first, *others = arrays.values()
    common = set(first.clips).intersection(*(array.clips for array in others))
    names = tuple(clip for clip in first.clips if clip in common)
    found = {}
    for column, array in arrays.items():
        kept = [array.clips.index(clip) for clip in names]
        found[column] = array._replace(
            values=array.values[:, :, kept], clips=names, strata=array.strata[kept]
        )
    return found
