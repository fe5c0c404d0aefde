"""Show how the runs of a grid stand: from any machine, while drivers work on it.

Examples:
    auralsam2 grid-status work_dirs/demo
    auralsam2 grid-status work_dirs/demo --watch 10
    auralsam2 grid-status work_dirs/demo --json | jq .counts
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

from auralsam2.command_line import Parser, Real, Whole, input_path, run_file, table_console


def main(argv: Sequence[str] | None = None) -> int:
    """Look once, or until everything is over."""
    options = _parser().parse_args(argv)

    from ablations.runs.status import as_json, read_status, render

    status = read_status(options.folder, options.stale_after)
    if options.json:
        print(json.dumps(as_json(status, options.lines), indent=1))
        return 0
    console = table_console()
    if options.watch is None:
        console.print(render(status, options.lines))
        return 0

    from rich.live import Live

    try:
        with Live(render(status, options.lines), console=console, auto_refresh=False) as live:
            while not status.is_over:
                time.sleep(options.watch)
                status = read_status(options.folder, options.stale_after)
                live.update(render(status, options.lines), refresh=True)
    except KeyboardInterrupt:  # the usual way to stop looking
        pass
    return 0


def _parser() -> Parser:
    from ablations.runs.claims import STALE_S

    parser = Parser(__doc__)
    add, seconds = parser.add_argument, Real(above=0)
    add("folder", type=input_path, help="of a grid, or any folder with runs below")
    watch = "look again every S seconds (default 5) until nothing is left to do"
    add("--watch", type=seconds, nargs="?", const=5.0, metavar="S", help=watch)
    add("--json", action="store_true", help="for programs")
    lines = "of the log of a failed run; default: 5"
    add("--lines", type=Whole(0), default=5, metavar="N", help=lines)
    stale = f"silence after which a run counts as left alone; default: {STALE_S:.0f} s"
    add("--stale-after", type=seconds, default=STALE_S, metavar="S", help=stale)
    return parser


if __name__ == "__main__":
    run_file(__file__)
