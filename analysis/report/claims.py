"""What a paper asserts of a grid, and what its runs say of that: a section of the index."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from analysis.claims.file import Claims
from analysis.claims.judge import judge_grids
from analysis.claims.table import HEADERS, caption, notes, rows, texts
from analysis.claims.verdict import UNDECIDED, Judged
from analysis.report.pages import downloads
from analysis.report.tables import DataTable, Entry
from analysis.runs.results import Results


class ClaimSection(NamedTuple):
    """The claims about a grid."""

    title: str  # of their file
    table: DataTable  # one row a claim that was judged
    footnote: str  # what its numbers mean
    notes: list[str]  # claims that were not judged, and why
    downloads: Mapping[str, str]  # name -> address of the table's files


def section(results: Results, claims: Claims | None, folder: Path) -> ClaimSection | None:
    """Return the claims about a grid in a folder; None where there are none."""
    name = folder.resolve().name
    about = None if claims is None else claims.about(name)
    if about is None or not about.claims:
        return None
    judged = judge_grids(about, {name: results})
    addresses = downloads(texts(judged, folder))
    return ClaimSection(about.title, _table(judged), caption(judged), notes(judged), addresses)


def _table(judged: Judged) -> DataTable:
    found = zip(judged.verdicts, rows(judged), strict=True)
    entries = [
        [
            Entry(row.claim),
            Entry(row.verdict, best=verdict.answer != UNDECIDED),
            Entry(row.measured, verdict.estimate),
            Entry(row.p_for, verdict.p_corrected),
            Entry(row.p_against, verdict.p_against_corrected),
            Entry(row.data),
            Entry(row.decides or "–"),
        ]
        for verdict, row in found
    ]
    return DataTable("claims", "Claims", HEADERS, entries)
