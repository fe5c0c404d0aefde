"""Scores to tables: Markdown, LaTeX, CSV, terminal, with the origin of every entry."""

from analysis.tables.clicks import click_tables, write_click_tables
from analysis.tables.effects import write as write_effects
from analysis.tables.latex import to_latex
from analysis.tables.make import (
    SPREADS,
    Table,
    best_cells,
    make_table,
    measured_columns,
    pairs,
)
from analysis.tables.notes import footnote, notes
from analysis.tables.text import to_markdown, to_rich
from analysis.tables.write import provenance, to_frame, write_tables

__all__ = [
    "SPREADS",
    "Table",
    "best_cells",
    "click_tables",
    "footnote",
    "make_table",
    "measured_columns",
    "notes",
    "pairs",
    "provenance",
    "to_frame",
    "to_latex",
    "to_markdown",
    "to_rich",
    "write_click_tables",
    "write_effects",
    "write_tables",
]
