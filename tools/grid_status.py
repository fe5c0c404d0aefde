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

from auralsam2.command_line import Parser, Real, Whole, input_path


def main(argv: Sequence[str] | None = None) -> int:
    """Look once, or until everything is over."""
    options = _parser().parse_args(argv)

    from rich.console import Console

    from ablations.runs.status import as_json, read_status, render

    status = read_status(options.folder, options.stale_after)
    if options.json:
        print(json.dumps(as_json(status, options.lines), indent=1))
        return 0
    console = Console(markup=False, emoji=False)
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
    parser.add_argument("folder", type=input_path, help="of a grid, or any folder with runs below")
    parser.add_argument(
        "--watch",
        type=Real(above=0),
        nargs="?",
        const=5.0,
        metavar="S",
        help="look again every S seconds (default 5) until nothing is left to do",
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument(
        "--lines",
        type=Whole(0),
        default=5,
        metavar="N",
        help="of the log of a failed run; default: 5",
    )
    parser.add_argument(
        "--stale-after",
        type=Real(above=0),
        default=STALE_S,
        metavar="S",
        help=f"silence after which a run counts as left alone; default: {STALE_S:.0f} s",
    )
    return parser


if __name__ == "__main__":
    from auralsam2_tools.__main__ import run_file

    run_file(__file__)
