"""Open a local web page where a model hears a clip and you correct its masks by clicks.

The page is for this machine alone (127.0.0.1) and loads nothing from elsewhere. Without a run, it
shows the model that comes with the package; with two, both answer every click side by side.

Examples:
    auralsam2 demo
    auralsam2 demo --run work_dirs/RUN
    auralsam2 demo --run work_dirs/A --run work_dirs/B --port 8000 --no-browser
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from auralsam2 import command_line as cli

INSTALL = "pip install 'auralsam2[demo]'"


def main(argv: Sequence[str] | None = None) -> int:
    """Serve the page until Ctrl-C."""
    options = _parser().parse_args(argv)
    os.environ.setdefault("TQDM_DISABLE", "1")  # SAM2's bars; the page has its own
    try:
        from auralsam2.demo.serve import serve
    except ImportError as error:
        if error.name not in ("starlette", "uvicorn"):
            raise
        raise ImportError(f"the page needs {error.name}: {INSTALL}") from error
    from analysis.figures.segmented import write_sheet
    from auralsam2.data.example import example_clip
    from auralsam2.demo.models import predictors_of

    shown = predictors_of(options.run), example_clip()
    serve(*shown, options.port, options.upload_mb, not options.no_browser, write_sheet)
    return 0


def _parser() -> cli.Parser:
    parser = cli.Parser(__doc__)
    add = parser.add_argument
    add(
        "--run", type=cli.input_path, action="append", default=[], metavar="RUN",
        help="a run folder; twice, to compare two (default: the model that comes with the package)",
    )  # fmt: skip
    add(
        "--port", type=cli.Whole(0), metavar="N",
        help="of 127.0.0.1; 0 takes any that is free (default: 7860, or any where that is taken)",
    )  # fmt: skip
    limit = "the largest clip that the page takes, in MB (%(default)s)"
    add("--upload-mb", type=cli.Whole(1), default=200, metavar="N", help=limit)
    add("--no-browser", action="store_true", help="print the address, open nothing")
    return parser


if __name__ == "__main__":
    cli.run_file(__file__)
