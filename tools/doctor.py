"""Say what of the package and its optional parts can be used on this machine.

Every row is usable, or says what stands in the way and how to get it. With a config, its settings,
device, weights and data are looked for as a run would. The exit status is 1 where something is
missing that everything needs, or that the config needs.

Examples:
    auralsam2 doctor
    auralsam2 doctor auralsam2/hiera_tiny_v1m --set data.root=/data/AVSBench
    auralsam2 doctor --json
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from auralsam2.command_line import Parser, add_overrides, run_file, table_console

if TYPE_CHECKING:
    from auralsam2.engine.doctor import Row

LETTERS = "日한ع"
"""Of writings that matplotlib's own faces have not."""


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table, and return 1 where something that is required cannot be used."""
    parser = Parser(__doc__)
    parser.add_argument("config", nargs="?", metavar="CONFIG", help="a name or a path in .py")
    parser.add_argument("--base", help="config to inherit from in place of the one named there")
    add_overrides(parser, "overrides of the config, applied in order")
    parser.add_argument("--json", action="store_true", help="print a list of JSON objects")
    options = parser.parse_args(argv)
    if not options.config and (options.set or options.base):
        parser.error("--set and --base have no effect without a CONFIG")

    from auralsam2.engine.doctor import installed, machine, of_config

    rows = [*installed(), *machine(), *_executors(), _fonts()]
    if options.config:
        rows += of_config(options.config, options.set, options.base)
    if options.json:
        print(json.dumps([row._asdict() for row in rows], indent=2))
    else:
        _print_table(rows)
    return int(any(row.required and not row.usable for row in rows))


def _executors() -> Iterator[Row]:
    """Where runs of a grid can go."""
    from auralsam2.engine.doctor import Row

    try:
        from ablations.executors.base import EXECUTORS

        problems = {
            name: EXECUTORS.lookup(name).problems()  # type: ignore[attr-defined]
            for name in EXECUTORS.names()
        }
    except ImportError as error:  # of a library that has a row of its own
        yield Row("executors", False, str(error))
        return
    for name, found in problems.items():
        yield Row(f"executor {name}", not found, "; ".join(found) or f"--executor {name}")


def _fonts() -> Row:
    """Faces of figures; matplotlib brings those of Latin letters."""
    from auralsam2.engine.doctor import looked_at

    def look() -> str:
        from analysis.figures.figure_text import family_with

        faces = {letter: family_with(letter) for letter in LETTERS}
        if missing := [letter for letter, face in faces.items() if face is None]:
            raise ValueError(f"letters such as {' '.join(missing)} are shown as code points")
        return ", ".join(dict.fromkeys(str(face) for face in faces.values()))

    return looked_at("fonts of other writings", look, "e.g. apt install fonts-noto fonts-noto-cjk")


def _print_table(rows: Sequence[Row]) -> None:
    from rich.table import Table
    from rich.text import Text

    console = table_console()
    table = Table("part", "", "what is there", "how to get it", expand=console.is_terminal)
    for row in rows:
        state = "usable" if row.usable else "missing" if row.required else "not here"
        style = "" if row.usable else "bold red" if row.required else "dim"
        table.add_row(row.part, Text(state, style), Text(row.found), Text(row.remedy))
    console.print(table)


if __name__ == "__main__":
    run_file(__file__)
