"""Main effects and two-way interactions with intervals and tests, over crossed seeds and clips."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any, NamedTuple

import pandas as pd

from analysis.runs.controls import Column, is_control
from analysis.runs.results import Results
from analysis.runs.splits import table_columns
from analysis.statistics.contrasts import contrasts
from analysis.statistics.crossed_means import USUAL
from analysis.statistics.factorial import (
    INTERACTION,
    MAIN,
    Effect,
    Factorial,
    effects,
    factorial,
    joint_contrasts,
)
from analysis.statistics.joint_tests import joint_test
from analysis.statistics.score_arrays import complete_groups, score_arrays
from analysis.statistics.significance import compare_contrasts, holm

NO_AXES = "the grid has no two axes whose levels meet: the table's differences say all"


class GridEffects(NamedTuple):
    """What a grid's axes do."""

    design: Factorial  # of its cells
    effects: tuple[Effect, ...]  # main effects, then interactions
    columns: tuple[Column, ...]  # that are no controls
    # One row an effect and column: effect (its name), and what `significance.compare` has behind
    # the cell; main effects of a column are one family of Holm's correction, interactions another.
    found: pd.DataFrame
    # One row an axis or pair of axes and column: axes (joined by " × "), kind, split, metric,
    # statistic, rows (of `JointTest`), p, p_holm, significant; families likewise. None where the
    # grid is not full.
    joint: pd.DataFrame
    notes: tuple[str, ...]  # what a reader must know


def grid_effects(results: Results) -> GridEffects | None:
    """Estimate main effects and two-way interactions on all columns that are no controls.

    Returns:
        None where no two axes vary, or no level can be compared.
    """
    design = factorial(results)
    if design is None or not (listed := effects(design)):
        return None
    columns = [c for c in table_columns(results) if not is_control(c[0])]
    rows = {effect.name: effect.weights for effect in listed}
    families = {effect.name: effect.kind for effect in listed}
    found = compare_contrasts(results, columns, rows, families=families)
    if found.empty:
        return None
    missing = {(name, *column) for name in rows for column in columns}
    missing -= set(found[["cell", "split", "metric"]].itertuples(index=False, name=None))
    notes = [*design.notes, *(f"{n}: its cells share no {m} on {s}" for n, s, m in sorted(missing))]
    return GridEffects(
        design,
        tuple(listed),
        tuple(columns),
        found.rename(columns={"cell": "effect"}),
        _joint(results, design, columns),
        tuple(notes),
    )


def _joint(results: Results, design: Factorial, columns: Sequence[Column]) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    arrays = score_arrays(results, columns) if design.full else {}
    for column, array in arrays.items():
        for size, kind in ((1, MAIN), (2, INTERACTION)):
            for axes in combinations(design.levels, size):
                groups = complete_groups(contrasts({column: array}, joint_contrasts(design, axes)))
                tested = [joint_test(group.sample, USUAL)._asdict() for group in groups]
                own = dict(zip(("axes", "kind"), (" × ".join(axes), kind), strict=True))
                own |= dict(zip(("split", "metric"), column, strict=True))
                rows += [{**own, **test} for test in tested]
    frame = pd.DataFrame(
        rows, columns=["axes", "kind", "split", "metric", "statistic", "rows", "p"]
    )
    for _, family in frame.groupby(["kind", "split", "metric"], sort=False):
        frame.loc[family.index, "p_holm"] = holm(family["p"].tolist())
    return frame.assign(significant=frame["p_holm"] < USUAL.alpha if len(frame) else False)
