"""Tables for a terminal and in Markdown."""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterable, Sequence

from rich import box
from rich.console import Console, Group, JustifyMethod
from rich.table import Table as RichTable
from rich.text import Text

from analysis.runs.reported import MARK
from analysis.tables.layout import Entry, Layout, Notation, Row, lay_out
from analysis.tables.make import Table
from analysis.tables.notes import footnote, notes

_MARKDOWN = re.compile(
    r"[|*`\\$]"  # dollars are maths to some readers
    r"|<(?=[A-Za-z/!?])|&(?=#?\w+;)"
    r"|(?<![^\W_])_|_(?![^\W_])"  # within a word it is itself
    r"|\](?=[(\[:])|~(?=~)"
    r"|^[#>+-]"
)
"""What would end a table's cell, start emphasis, code, maths, a list or a link, or be taken for a
tag or an entity."""


def to_rich(table: Table, width: int = 80) -> Group:
    """Return the table for a terminal of ``width`` characters, in pieces that fit."""
    layout = lay_out(table, Notation(plus_minus="±"))
    return Group(*(_rich(layout, piece) for piece in _pieces(layout, width)))


def to_markdown(table: Table) -> str:
    """Return the table, its footnote and notes in Markdown; the best entries are bold."""
    layout = lay_out(table)
    rows = markdown_table(
        ["cell", *(header.flat for header in layout.headers)],
        ([escape_markdown(_name(row)), *map(_bold_markdown, row.entries)] for row in layout.rows),
    )
    return markdown_page(table.results.title, rows, footnote(table), notes(table))


def markdown_page(title: str, table: str, footnote: str, notes: Sequence[str]) -> str:
    """Return a table in Markdown between its title and its footnote and notes, any texts."""
    listed = "".join(f"- {escape_markdown(note)}\n" for note in notes)
    tail = f"\nNotes:\n\n{listed}" if listed else ""
    return f"**{escape_markdown(title)}**\n\n{table}\n\n{escape_markdown(footnote)}\n{tail}"


def markdown_table(
    header: Sequence[str], rows: Iterable[Sequence[str]], words: Collection[int] = (0,)
) -> str:
    """Return the lines of a table whose header is any text and whose rows are Markdown.

    ``words`` are columns that begin at the left; the others end at the right.
    """
    table = RichTable(box=box.MARKDOWN, pad_edge=True)
    for index, name in enumerate(header):
        justify: JustifyMethod = "left" if index in words else "right"
        table.add_column(Text(escape_markdown(name)), justify=justify)
    for row in rows:
        table.add_row(*map(Text, row))
    out = io.StringIO()
    Console(file=out, width=100_000, color_system=None, markup=False, emoji=False).print(table)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines() if line.strip())


def escape_markdown(text: str) -> str:
    """Return any text as one line of Markdown."""
    return _MARKDOWN.sub(r"\\\g<0>", " ".join(text.split()))


def _pieces(layout: Layout, width: int) -> list[list[int]]:
    """Return the columns of each piece; differences begin a new one."""
    room = width - 2 - min(30, max(len(row.name) for row in layout.rows))
    pieces: list[list[int]] = [[]]
    used = 0
    for index, header in enumerate(layout.headers):
        texts = [_plain(row.entries[index]).plain for row in layout.rows]
        needed = 3 + max(map(len, [*texts, *header.flat.split()]))
        if pieces[-1] and (used + needed > room or index == layout.num_scores):
            pieces.append([])
            used = 0
        pieces[-1].append(index)
        used += needed
    return pieces


def _rich(layout: Layout, columns: Sequence[int]) -> RichTable:
    rich = RichTable(box=box.SIMPLE_HEAVY, pad_edge=False)
    rich.add_column("cell", overflow="fold")
    for index in columns:
        rich.add_column(Text(layout.headers[index].flat), justify="right", overflow="fold")
    for row in layout.rows:
        entries = [_plain(row.entries[index]) for index in columns]
        rich.add_row(Text(" ".join(_name(row).split())), *entries)
    return rich


def _name(row: Row) -> str:
    return f"{row.name} ({MARK})" if row.reported else row.name


def _plain(entry: Entry) -> Text:
    return Text(f"{entry.text}{entry.mark}", style="bold" if entry.best else "")


def _bold_markdown(entry: Entry) -> str:
    text = f"**{entry.text}**" if entry.best else entry.text
    return f"{text}{escape_markdown(entry.mark)}"
