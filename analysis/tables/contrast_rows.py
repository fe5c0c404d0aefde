"""Tables whose rows are contrasts of cells: estimate, interval and mark as Markdown, LaTeX, CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.statistics.crossed_means import CLIPS, CLIPS_AND_SEEDS, USUAL
from analysis.tables.latex_text import fitting_size, plain_tabular, table_file
from analysis.tables.layout import DAGGER, STAR, Notation
from analysis.tables.text import escape_markdown, markdown_page, markdown_table
from auralsam2.text_files import write_text

_NOTATION = Notation(minus="−")
_ROOM = 470.0
"""For a row of a page of two columns, in points."""
_LONG_NAME = 40
_LINES = 40
"""Of a float."""


def entry(row: Mapping[Any, Any], places: int) -> str:
    """Return ``+0.031 [+0.010, +0.052]*`` of a row of `significance.compare`."""
    names = ("difference", "low", "high")
    value, low, high = (rounded(row[name], places, signed=True) for name in names)
    between = f" [{low}, {high}]" if np.isfinite(row["low"]) else ""
    return f"{value}{between}{mark(row)}"


def rounded(value: float, places: int, signed: bool = False) -> str:
    """Return a number with a minus sign, or always a sign; nought is never negative."""
    return _NOTATION.number(round(value, places) + 0.0, places, signed)


def mark(row: Mapping[Any, Any]) -> str:
    """Return the mark of what is significant, as `make-tables` has it."""
    return "" if not row["significant"] else DAGGER if row["varies"] == CLIPS else STAR


def marks_note(frame: pd.DataFrame, families: str) -> str:
    """Say what intervals and marks are; ``families`` of Holm's correction, in words."""
    kinds = set(frame["varies"])
    seeds = sorted(set(frame["num_seeds"].astype(int)))
    counted = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    over = {CLIPS_AND_SEEDS: f"clips and {counted} seeds", CLIPS: "clips alone"}
    named = " or ".join(text for kind, text in over.items() if kind in kinds)
    marks = [STAR] * (CLIPS_AND_SEEDS in kinds) + [f"{DAGGER} (clips alone vary)"] * (
        CLIPS in kinds
    )
    return (
        f"In brackets the {USUAL.confidence:.0%} interval over {named}, not corrected. "
        f"{' and '.join(marks)}: p < {USUAL.alpha:g} after Holm's correction over {families}."
    )


def write_rows(
    texts: pd.DataFrame,
    numbers: pd.DataFrame,
    folder: Path,
    name: str,
    *,
    of: str,
    words: Sequence[int],
    title: str,
    footnote: str,
    notes: Sequence[str] = (),
) -> list[Path]:
    """Write ``NAME.md`` and ``.tex`` of a table of any texts, and ``.csv`` of its numbers.

    Args:
        texts: the table; its columns are headers.
        numbers: of the CSV.
        folder: of the files.
        name: of the files.
        of: the grid's title, which LaTeX's label holds behind the name.
        words: columns that begin at the left.
        title: above the table.
        footnote: below it.
        notes: what a reader must know besides.
    """
    written = {
        "md": rows_markdown(texts, words, title, footnote, notes),
        "tex": _latex(texts, words, f"{name} {of}", title, footnote, notes),
        "csv": numbers.to_csv(index=False),
    }
    return [write_text(folder / f"{name}.{kind}", text) for kind, text in written.items()]


def rows_markdown(
    texts: pd.DataFrame, words: Sequence[int], title: str, footnote: str, notes: Sequence[str]
) -> str:
    """Return the table of `write_rows` in Markdown."""
    rows = [
        [escape_markdown(text) if n in words else _escape_mark(text) for n, text in enumerate(row)]
        for row in texts.to_numpy().tolist()
    ]
    lines = markdown_table(list(map(str, texts)), rows, words=words)
    return markdown_page(title, lines, footnote, notes)


def _latex(
    texts: pd.DataFrame,
    words: Sequence[int],
    label: str,
    title: str,
    footnote: str,
    notes: Sequence[str],
) -> str:
    longest = [max(map(len, [str(name), *texts[name]])) for name in texts]
    wide = [number for number in words if longest[number] > _LONG_NAME]
    letters = sum(min(_LONG_NAME, length) + 2 for length in longest)
    kinds = [
        r"p{0.26\linewidth}" if number in wide else "l" if number in words else "r"
        for number in range(len(longest))
    ]
    # A name that is broken takes several lines.
    lines = 1 + texts.iloc[:, list(words)].map(len).max(axis=1) // _LONG_NAME
    pages = texts.groupby((lines.cumsum() - 1) // _LINES)
    return table_file(
        [[plain_tabular(page, "".join(kinds))] for _, page in pages],
        caption=title,
        label=label,
        size=fitting_size(letters, _ROOM),
        footnote=footnote,
        notes=notes,
    )


def _escape_mark(text: str) -> str:
    """A sign before a number begins no list within a row."""
    return text.replace(STAR, f"\\{STAR}")
