"""Compare this code with numbers of authors' released code, tensor by tensor.

The folder holds numbers of AuralSAM2's release, or of those of its rivals; what is there is
compared.

Examples:
    auralsam2 check-parity fixtures
    auralsam2 check-parity fixtures --only fuser_avs tracking --all
    auralsam2 check-parity fixtures --csv parity.csv
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from auralsam2.command_line import Parser, input_path, output_file, run_file, table_console
from auralsam2.text_files import write_csv

if TYPE_CHECKING:
    from rich.table import Table

    from auralsam2.engine.parity.compare import Row


def main(argv: Sequence[str] | None = None) -> int:
    """Print the errors; 1 where one is too large or nothing could be checked."""
    parser = Parser(__doc__)
    parser.add_argument(
        "folder", type=input_path, help="fixtures: NAME.safetensors.gz and NAME.json"
    )
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these fixtures")
    parser.add_argument("--all", action="store_true", help="a row a tensor, not the worst alone")
    parser.add_argument("--csv", type=output_file, help="write every row there")
    options = parser.parse_args(argv)

    from auralsam2.engine.parity.run import check_group, present

    console, rows = table_console(), []
    for group in present(options.folder, options.only):
        with console.status(group.name):
            rows += check_group(options.folder, group)
    console.print(_table(rows if options.all else _summary(rows)))
    failed = [row for row in rows if not row.passed]
    for row in failed:
        print(f"FAILED {row.fixture} {row.tensor}: {row.note or f'off by {row.absolute:.2e}'}")
    print(f"{len(rows) - len(failed)} of {len(rows)} comparisons passed")
    if options.csv:
        _write(options.csv, rows)
    return 1 if failed else 0


def _summary(rows: Sequence[Row]) -> list[Row]:
    """Of each fixture the worst row; `main` names every failed one."""
    shown = []
    for fixture in dict.fromkeys(row.fixture for row in rows):
        own = [row for row in rows if row.fixture == fixture]
        worst = max(own, key=lambda row: (not row.passed, row.absolute))
        shown.append(worst._replace(tensor=f"{len(own)} compared, worst: {worst.tensor}"))
    return shown


def _table(rows: Sequence[Row]) -> Table:
    from rich.table import Column, Table
    from rich.text import Text

    name, verdict = Column("tensor", overflow="fold"), Column("", no_wrap=True, min_width=4)
    headings = ("fixture", name, "max abs", "max rel", "allowed", verdict)
    table = Table(*headings, box=None, padding=(0, 1))
    for row in rows:
        word = Text("pass", "green") if row.passed else Text("FAIL", "bold red")
        numbers = (f"{row.absolute:.1e}", f"{row.relative:.1e}", row.tolerance)
        table.add_row(*map(Text, (row.fixture, row.tensor, *numbers)), word)
    return table


def _write(path: Path, rows: Sequence[Row]) -> None:
    header = ("fixture", "tensor", "absolute", "relative", "tolerance", "passed", "note")
    print(write_csv(path, [header, *rows]))


if __name__ == "__main__":
    run_file(__file__)
