"""Tables for a terminal and in Markdown."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence

from rich import box
from rich.console import Console, Group
from rich.table import Table as RichTable
from rich.text import Text

from analysis.runs.reported import MARK
from analysis.tables.layout import Entry, Layout, Notation, lay_out
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
    """Return the table for a terminal, in as many pieces as fit side by side.

    Args:
        table: the numbers.
        width: of the terminal in characters.
    """
    layout = lay_out(table, Notation(plus_minus="±"))
    pieces = _pieces(layout, width)
    return Group(*(_rich(layout, piece, box.SIMPLE_HEAVY, _plain, str) for piece in pieces))


def to_markdown(table: Table) -> str:
    """Return the table, its footnote and notes in Markdown; the best entries are bold."""
    layout = lay_out(table)
    columns = range(len(layout.headers))
    rendered = _rich(layout, columns, box.MARKDOWN, _bold_markdown, escape_markdown)
    out = io.StringIO()
    Console(file=out, width=100_000, color_system=None, markup=False, emoji=False).print(rendered)
    rows = "\n".join(line.rstrip() for line in out.getvalue().splitlines() if line.strip())
    listed = "".join(f"- {escape_markdown(note)}\n" for note in notes(table))
    tail = f"\nNotes:\n\n{listed}" if listed else ""
    title = escape_markdown(table.results.title)
    return f"**{title}**\n\n{rows}\n\n{escape_markdown(footnote(table))}\n{tail}"


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


def _rich(
    layout: Layout,
    columns: Sequence[int],
    style: box.Box,
    entry_text: Callable[[Entry], Text],
    escape: Callable[[str], str],
) -> RichTable:
    rich = RichTable(box=style, pad_edge=style is box.MARKDOWN)
    rich.add_column("cell", overflow="fold")
    for index in columns:
        header = Text(escape(layout.headers[index].flat))
        rich.add_column(header, justify="right", overflow="fold")
    for row in layout.rows:
        name = f"{row.name} ({MARK})" if row.reported else row.name
        entries = [entry_text(row.entries[index]) for index in columns]
        rich.add_row(Text(escape(" ".join(name.split()))), *entries)
    return rich


def _plain(entry: Entry) -> Text:
    return Text(f"{entry.text}{entry.mark}", style="bold" if entry.best else "")


def _bold_markdown(entry: Entry) -> Text:
    text = f"**{entry.text}**" if entry.best else entry.text
    return Text(f"{text}{escape_markdown(entry.mark)}")


def escape_markdown(text: str) -> str:
    """Escape a text of one line that may hold anything."""
    return _MARKDOWN.sub(r"\\\g<0>", text)
