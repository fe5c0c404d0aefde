"""A table's files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.reported import MARK
from analysis.tables.latex import to_latex
from analysis.tables.make import Table, pairs
from analysis.tables.provenance import provenance
from analysis.tables.text import to_markdown

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
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"table.{kind}" for kind in KINDS]
    paths[0].write_text(to_markdown(table), encoding="utf-8")
    paths[1].write_text(to_latex(table), encoding="utf-8")
    to_frame(table).to_csv(paths[2], index=False)
    content = json.dumps(provenance(table, folder), indent=1, allow_nan=False)
    paths[3].write_text(content + "\n", encoding="utf-8")
    comparison = folder / "table.comparison.csv"
    # One of an earlier table would pass for this one's.
    comparison.unlink(missing_ok=True)
    if table.comparison is not None:
        table.comparison.to_csv(comparison, index=False)
        paths.append(comparison)
    return paths
