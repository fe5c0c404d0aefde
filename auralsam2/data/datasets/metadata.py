"""The table that names the clips of a data set: one parser for readers and checks."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from auralsam2.data.problems import DataError, Finding, refuse
from auralsam2.file_kinds import misplaced

if TYPE_CHECKING:
    import pandas as pd

DELIMITERS = (",", ";", "\t")
"""Between cells, the published one first; spreadsheet programs write the others."""
TEXT_COLUMNS = frozenset({"exp"})
"""Words that are taken as they stand, blanks and case included."""
NAMES = frozenset({"uid", "name", "video_id"})
"""Columns that name a clip or an expression."""
SPLITS = ("train", "val", "test")


class Metadata(NamedTuple):
    """A table as readers and checks see it."""

    # All cells as text, without blanks around them (but for words); known splits and subsets in
    # their published case.
    table: pd.DataFrame
    tidied: list[Finding]  # cells that stood there otherwise


def read_metadata(
    path: Path, columns: Sequence[str], known: Mapping[str, Iterable[str]]
) -> Metadata:
    """Read a table, its cells separated by commas, semicolons or tabs.

    Args:
        path: of a CSV file in UTF-8, with or without a byte order mark.
        columns: that must be there; further ones are kept.
        known: column -> its values as published, such as splits; a cell that differs from one of
            them by case and blanks alone is taken for it.

    Raises:
        DataError: where it is no table or lacks columns, or rows lack cells; all are listed.
    """
    import pandas as pd

    header, rows = _rows(path, columns)
    refuse(_row_problems(header, rows, columns), f"'{path}'")
    tidied = []
    for column in columns:
        if column in TEXT_COLUMNS:
            continue
        place = header.index(column)
        published = {value.casefold(): value for value in known.get(column, ())}
        for _, cells in rows:
            written = cells[place]
            plain = written.strip()
            cells[place] = published.get(plain.casefold(), plain)
            if cells[place] != written:
                detail = f"{written!r} is read as {cells[place]!r}"
                tidied.append(Finding("untidy_cell", cells[0].strip(), detail))
    table = pd.DataFrame([cells for _, cells in rows], columns=header, dtype=object)
    return Metadata(table.loc[:, ~table.columns.duplicated()], tidied)


def _row_problems(
    header: list[str], rows: list[tuple[int, list[str]]], columns: Sequence[str]
) -> Iterator[str]:
    """Rows of another length than the header, and cells without a name."""
    named = [header.index(column) for column in columns if column in NAMES]
    for line, cells in rows:
        if len(cells) != len(header):
            yield f"line {line} has {len(cells)} cells, the header has {len(header)}"
            continue
        yield from (f"line {line} has no {header[n]}" for n in named if not cells[n].strip())


def _rows(path: Path, columns: Sequence[str]) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Header, and the number of the line and the cells of every row that is not empty."""
    if other := misplaced(path):
        raise DataError(f"'{path}' is no table: it is {other}")
    try:
        # newline="" leaves line ends, of whatever system, to the parser.
        with path.open(encoding="utf-8-sig", newline="") as file:
            text = file.read()
    except UnicodeDecodeError as error:
        raise DataError(f"'{path}' is not in UTF-8 ({error}); save it as UTF-8") from error
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(DELIMITERS, key=lambda d: len(set(columns) & {*_header(first, d)}))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines = []
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                lines.append((reader.line_num, cells))
    except csv.Error as error:
        raise DataError(f"'{path}', line {reader.line_num}: {error}") from error
    if not lines:
        raise DataError(f"'{path}' is an empty table")
    header = [name.strip() for name in lines[0][1]]
    missing = [name for name in columns if name not in header]
    if missing:
        raise DataError(f"'{path}' lacks columns {missing}; it has {header}")
    twice = [name for name, count in Counter(header).items() if count > 1 and name in columns]
    if twice:
        raise DataError(f"'{path}' has columns twice: {twice}")
    return header, [(line, _fitted(cells, len(header))) for line, cells in lines[1:]]


def _header(line: str, delimiter: str) -> list[str]:
    return [name.strip().strip('"') for name in line.split(delimiter)]


def _fitted(cells: list[str], width: int) -> list[str]:
    """Cells without empty ones behind the header's last column."""
    while len(cells) > width and not cells[-1].strip():
        cells = cells[:-1]
    return cells
