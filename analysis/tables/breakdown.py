"""The difference of two cells over bins of clips as a table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.runs.controls import Column, flat_headers
from analysis.tables.contrast_rows import entry, marks_note, write_rows
from analysis.tables.make import digits

NAME = "breakdown"
_ABSENT = "–"
_APART = "apart_"


def write(
    found: pd.DataFrame,
    cells: tuple[str, str],
    column: Column,
    folder: Path,
    title: str,
) -> list[Path]:
    """Write ``breakdown.md`` and ``.tex``, and the numbers of `break_down` as ``.csv``.

    ``title`` is the grid's, for LaTeX's label.
    """
    first, second = cells
    return write_rows(
        to_texts(found, column),
        found,
        folder,
        NAME,
        of=title,
        words=(0, 1),
        title=f"{first} minus {second}: which clips carry the difference",
        footnote=footnote(found),
    )


def to_texts(found: pd.DataFrame, column: Column) -> pd.DataFrame:
    """Return a row a bin."""
    places = digits(found["difference"])
    certain = bool(found["significant"].iloc[0])
    (header,) = flat_headers([column])
    rows = []
    for row in found.to_dict("records"):
        apart = {key: row[f"{_APART}{key}"] for key in row if f"{_APART}{key}" in row}
        rows.append(
            {
                "": row["attribute"],
                "clips": row["bin"],
                "number": str(row["num_clips"]),
                f"difference in {header}": entry(row, places),
                "share of it": f"{row['share']:.0%}" if certain else _ABSENT,
                "minus the other clips'": _known(apart, places),
            }
        )
    return pd.DataFrame(rows)


def footnote(found: pd.DataFrame) -> str:
    """Say what the numbers are."""
    certain = bool(found["significant"].iloc[0])
    share = (
        "Share: of the sum of the differences over all clips."
        if certain
        else "No shares, since the difference over all clips is not clearly one."
    )
    return (
        f"Paired by clip and seed. {share} Last column: the difference of these clips minus that "
        f"of all others. {marks_note(found, 'the bins of an attribute')} Attributes are "
        "those of the clips' labels; clips with several sources are in several classes."
    )


def _known(row: Mapping[Any, Any], places: int) -> str:
    return entry(row, places) if np.isfinite(row["difference"]) else _ABSENT
