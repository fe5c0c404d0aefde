"""A table's files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.runs.reported import MARK
from analysis.tables.latex import to_latex
from analysis.tables.make import Table, pairs
from analysis.tables.provenance import provenance
from analysis.tables.text import to_markdown
from auralsam2.text_files import write_text

KINDS = ("md", "tex", "csv", "provenance.json")


def to_frame(table: Table) -> pd.DataFrame:
    """Return the numbers in long form.

    Returns:
        Columns cell, split, metric, mean, std, num_seeds; low and high where the spread is an
        interval; difference where asked for; source where other papers' rows stand beside. Extra
        columns are rows whose split is empty.
    """
    rows = []
    for cell in table.mean.index:
        for pair in pairs(table.mean):
            at = (cell, pair)
            row: dict[str, Any] = {"cell": cell, "split": pair[0], "metric": pair[1]}
            row |= {"mean": table.mean.loc[at], "std": table.std.loc[at]}
            row["num_seeds"] = int(table.count.loc[at])
            if table.difference is not None:
                row["difference"] = table.difference.loc[at] if pair in table.difference else None
            rows.append(row)
        for name in table.extras:
            value = table.extras.at[cell, name]
            rows.append({"cell": cell, "split": "", "metric": name, "mean": value})
    for reported in table.reported:
        for (split, metric), value in reported.scores.items():
            row = {"cell": reported.method, "split": split, "metric": metric, "mean": value}
            rows.append(row | {"source": f"{MARK}: {reported.citation()}"})
    frame = pd.DataFrame(rows)
    if table.intervals is not None:
        keys = ["cell", "split", "metric"]
        frame = frame.merge(table.intervals[[*keys, "low", "high"]], on=keys, how="left")
    return frame.astype({"num_seeds": "Int64"})


def write_tables(table: Table, folder: Path) -> list[Path]:
    """Write ``table.{md,tex,csv,provenance.json}``, and ``table.comparison.csv`` of the tests."""
    texts = (
        to_markdown(table),
        to_latex(table),
        to_frame(table).to_csv(index=False),
        json.dumps(provenance(table, folder), indent=1, allow_nan=False) + "\n",
    )
    paths = [
        write_text(folder / f"table.{kind}", text) for kind, text in zip(KINDS, texts, strict=True)
    ]
    comparison = folder / "table.comparison.csv"
    # One of an earlier table would pass for this one's.
    comparison.unlink(missing_ok=True)
    if table.comparison is not None:
        paths.append(write_text(comparison, table.comparison.to_csv(index=False)))
    return paths
