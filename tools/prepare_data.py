"""Extract frames and sound from raw videos in a benchmark's layout.

With --metadata, the clips are those of a table with AVSBench's columns (vid, uid, s_min, s_sec,
a_obj, split, label) or Ref-AVS's (vid, uid, split, fid, exp): a video named after a clip's uid is
that clip, one named after its vid is the whole recording and is cut at s_min:s_sec. Without it,
the first seconds of every video make a clip of its name.

Each clip gets frames/0.jpg ... (one a second: the last picture of each second, as AVSBench takes
it, in the video's own size) and audio.wav (16 bits, the video's own rate and channels). Clips that
are there are skipped, so that a stopped call goes on. Masks come from the benchmark.

Exit status: 0 where all clips are there, 1 where any failed, 2 where an argument is wrong.

Examples:
    auralsam2 prepare-data videos data/AVSBench --layout v1m --metadata metadata.csv
    auralsam2 prepare-data videos data/mine --layout v2 --workers 8
"""

from __future__ import annotations

from collections.abc import Sequence

from auralsam2 import command_line as cli


def main(argv: Sequence[str] | None = None) -> int:
    """Extract, print what failed, and return the exit status."""
    options = vars(_parser().parse_args(argv))

    from auralsam2.data.preparation.layouts import LAYOUTS
    from auralsam2.data.preparation.prepare import prepare
    from auralsam2.messages import unknown_name

    if options["layout"] not in LAYOUTS:
        raise ValueError(unknown_name("layout", options["layout"], sorted(LAYOUTS)))
    with cli.clip_bar() as told:
        done = prepare(**options, **told)
    for name, problem in done.failures.items():
        print(f"clip '{name}': {problem}")
    print(
        f"{len(done.written)} clips written to '{options['out']}', {len(done.skipped)} already "
        f"there, {len(done.failures)} failed"
    )
    return 1 if done.failures else 0


def _parser() -> cli.Parser:
    """Options by the names of the arguments of `prepare`."""
    parser = cli.Parser(__doc__)
    add = parser.add_argument
    add("videos", type=cli.input_path, metavar="VIDEOS", help="folder, with those below it")
    add("out", type=cli.output_folder, metavar="OUT", help="root of the data set")
    add("--layout", required=True, help="v1s or v1m (5 s), v2 or ref_avs (10 s)")
    add("--metadata", dest="index", type=cli.input_path, metavar="CSV", help="table of the clips")
    named = "use only videos named after this (default: both)"
    add("--named", choices=("uid", "vid"), help=named)
    picture = "which picture of each second (%(default)s)"
    add("--frames-at", choices=("end", "middle", "start"), default="end", help=picture)
    cli.add_workers(parser)
    return parser


if __name__ == "__main__":
    cli.run_file(__file__)
