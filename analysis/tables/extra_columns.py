"""Columns beside the scores: what a cell trains, and how fast it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from analysis.runs.results import SPEED, Results


class ExtraColumn(NamedTuple):
    """A number of a run that is no score."""

    header: str  # as printed
    source: str  # column of `Results.runs`
    scale: float = 1.0  # what the number is multiplied by


EXTRA_COLUMNS = {
    "params": ExtraColumn("trained (M)", "num_trainable", 1e-6),
    "total_params": ExtraColumn("parameters (M)", "num_parameters", 1e-6),
    "fps": ExtraColumn("FPS", f"{SPEED}fps"),
    "decoder_fps": ExtraColumn("decoder FPS", f"{SPEED}decoder_fps"),
}


def measured_columns(results: Results) -> list[str]:
    """Return the columns that some run has a number for, but what is not trained."""
    measured = results.runs.dropna(axis="columns", how="all").columns
    named = [name for name, column in EXTRA_COLUMNS.items() if column.source in measured]
    return [name for name in named if name != "total_params"]


def extra_values(results: Results, names: Sequence[str]) -> pd.DataFrame:
    """Average the named columns over the runs of each cell.

    Args:
        results: the runs.
        names: of `EXTRA_COLUMNS`.

    Returns:
        Rows are cells, columns ``names``; NaN where no run recorded the number.
    """
    values = pd.DataFrame(index=pd.Index(results.cells), dtype=float)
    for name in names:
        column = EXTRA_COLUMNS[name]
        if column.source in results.runs:
            numbers = results.runs[column.source].astype(float) * column.scale
            values[name] = numbers.groupby(results.runs["cell"]).mean()
        else:
            values[name] = math.nan
    return values


def three_digits(value: float) -> str:
    """Return a number with three significant digits and no exponent: 0.0128, 1.70, 58.3, 1234."""
    if value == 0:
        return "0"
    decimals = 2 - math.floor(math.log10(abs(value)))
    return f"{value:.{max(0, decimals)}f}"
