"""Segment what sounds, or what is clicked on, in any video.

A video is a file that FFmpeg reads (mp4, mkv, webm, mov, ...), a folder all such files below it;
without any, the clip that comes with the package is taken.
What its sound tells is object 1; --click and --box correct that one, or add others by a number
behind. Without sound they are all there is. Of each VIDEO a folder of its name is written:

    overlay.mp4   the frames with their masks, at their own times, and the sound
    masks/1/      the masks of object 1, a PNG of one bit a frame
    masks.json    all masks as COCO's RLE, in the layout of YouTube-VIS
    scores.csv    predicted IoU, object score, area and box of every frame and object
    sheet.png     frames, masks, sound and areas at a glance

Videos that are done are skipped, so that a stopped call goes on. One that breaks off leaves what
there was of it in NAME.partial. Exit status: 0 where all are done, 1 where any failed or broke off,
2 where an argument is wrong.

Examples:
    auralsam2 segment
    auralsam2 segment concert.mp4
    auralsam2 segment videos --fps 5 --out work_dirs/videos
    auralsam2 segment concert.mp4 --run work_dirs/RUN --text "the man with the guitar"
    auralsam2 segment concert.mp4 --click 1.5,320,180,+ --click 1.5,40,60,- --out work_dirs/clicked
    auralsam2 segment silent.mp4 --box 0,100,50,220,300 --click 2,400,90,+,2
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from auralsam2.command_line import Parser, Real, clip_bar, input_path, output_folder, run_file


def main(argv: Sequence[str] | None = None) -> int:
    """Segment, print what was written and what failed, and return the exit status."""
    options = vars(_parser().parse_args(argv))
    os.environ.setdefault("TQDM_DISABLE", "1")  # SAM2's own bar, beside ours

    from analysis.figures.segmented import write_sheet
    from auralsam2.segment.arguments import identity, load_predictor, read_arguments
    from auralsam2.segment.videos import segment_videos

    out = options["out"]
    videos, request, model = read_arguments(**options)
    done = segment_videos(
        videos, out, lambda: load_predictor(model), identity(model), request, write_sheet, clip_bar
    )
    for name, notice in done.written.items():
        print(f"{name}: '{out / name}'" + f" ({notice})" * bool(notice))
    for name, problem in done.failures.items():
        print(f"{name}: failed: {problem}")
    print(
        f"{len(done.written)} videos written to '{out}', {len(done.skipped)} already there, "
        f"{len(done.failures)} failed"
    )
    return 1 if done.failures else 0


def _parser() -> Parser:
    """Options by the names of the arguments of `read_arguments`."""
    parser = Parser(__doc__)
    add = parser.add_argument
    add("videos", nargs="*", type=input_path, metavar="VIDEO", help="file, or folder of files")
    out = "folder (%(default)s)"
    add("--out", type=output_folder, default=output_folder("work_dirs/segment"), help=out)
    add("--run", type=input_path, help="run folder whose weights are taken")
    add("--checkpoint", type=input_path, metavar="W", help="weights of --config instead")
    add("--config", metavar="C", help="name or path")
    add("--text", help="referring expression, for a model that reads one")
    add("--audio", type=input_path, metavar="FILE", help="sound to hear instead of the video's")
    add("--fps", type=Real(above=0), metavar="N", help="frames a second (default: all there are)")
    click = "seconds, pixels, + on the object or - beside it"
    add("--click", dest="clicks", action="append", default=[], metavar="T,X,Y,+", help=click)
    box = "seconds and two corners in pixels"
    add("--box", dest="boxes", action="append", default=[], metavar="T,X0,Y0,X1,Y1", help=box)
    return parser


if __name__ == "__main__":
    run_file(__file__)
