"""Check a data set on disk: every file opened, all problems reported at once.

Exit status: 0 where there is no fault (warnings, such as sound that will be resampled, and notes
are none), 1 where there are faults, 2 where LAYOUT or ROOT is wrong.

Examples:
    auralsam2 check-data v1m /data/AVSBench
    auralsam2 check-data avsbench /data/AVSBench --workers 8 --out avsbench_check.json
    auralsam2 check-data ref_avs /data/REFAVS --json
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from auralsam2.command_line import Parser, add_workers, clip_bar, input_path, output_file, run_file
from auralsam2.text_files import write_text

LAYOUTS = {
    "v1s": "semantic release, single source",
    "v1m": "semantic release, multi source",
    "v2": "semantic release, 10 frames",
    "avsbench": "semantic release, all three",
    "s4": "object release, single source",
    "ms3": "object release, multi source",
    "ref_avs": "Ref-AVS",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Check, print a report, and return the exit status."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.layout not in LAYOUTS:
        from auralsam2.messages import unknown_name

        parser.error(unknown_name("layout", options.layout, LAYOUTS))

    from auralsam2.data.checking.check import check_data

    try:
        with clip_bar() as told:
            report = check_data(options.layout, options.root, options.workers, **told)
    except FileNotFoundError as error:
        parser.error(str(error))
    content = json.dumps(report.to_json(), indent=1)
    if options.out:
        write_text(options.out, content + "\n")
    print(content if options.json else report.to_text())
    return 0 if report.healthy else 1


def _parser() -> Parser:
    listed = "\n".join(f"  {name:<9} {meaning}" for name, meaning in LAYOUTS.items())
    parser = Parser(__doc__, epilog=f"layouts:\n{listed}")
    parser.add_argument("layout", metavar="LAYOUT", help="see below")
    parser.add_argument("root", metavar="ROOT", type=input_path, help="folder that holds the index")
    parser.add_argument("--json", action="store_true", help="print JSON with every finding")
    beside = "write the JSON to a file too"
    parser.add_argument("--out", type=output_file, metavar="FILE", help=beside)
    add_workers(parser)
    return parser


if __name__ == "__main__":
    run_file(__file__)
