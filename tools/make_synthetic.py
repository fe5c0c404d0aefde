"""Write synthetic audio-visual clips as real files in a benchmark's layout, or as videos.

v1s: one source, training clips with the label of their first frame. v1m: up to two sources that
change. v2: the same over ten frames, with the colours of a semantic task. ref_avs: ten frames and
expressions that need ears and eyes; splits of seen and unseen objects, and of expressions that
refer to nothing shown. video: mp4 with sound, of any length and rate, and a mask of every frame.

Examples:
    auralsam2 make-synthetic data/synthetic --layout v1m --clips 300 --seed 0
    auralsam2 make-synthetic data/small --split 20/5/10 --workers 2
    auralsam2 make-synthetic data/ref --layout ref_avs --split 60/10/10/10/10 --unseen 3
    auralsam2 make-synthetic data/long --layout video --clips 2 --frames 600 --fps 5  # 120 s each
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from auralsam2.command_line import Parser, Whole, output_folder, run_file

if TYPE_CHECKING:
    from auralsam2.data.synthetic.writer import Plan


def main(argv: Sequence[str] | None = None) -> int:
    """Write, or go on with, a folder of clips."""
    parser = _parser()
    options = parser.parse_args(argv)

    from rich.progress import Progress

    from auralsam2.data.synthetic.writer import LAYOUTS, write_clips

    plan = _plan(options)
    with Progress() as bars:
        task = bars.add_task(f"clips in {options.out}", total=sum(plan.counts))
        written = write_clips(options.out, plan, options.workers, lambda: bars.advance(task))
        bars.update(task, completed=sum(plan.counts))
    numbers = "/".join(str(n) for n in plan.counts)
    names = "/".join(LAYOUTS[plan.layout].splits)
    print(f"{numbers} clips ({names}) {'written to' if written else 'already in'} {options.out}")
    return 0


def _parser() -> Parser:
    parser = Parser(__doc__)
    add = parser.add_argument
    add("out", type=output_folder, help="folder to write; set data.root to it")
    add("--layout", default="v1m", help="v1s, v1m, v2, ref_avs or video (default: v1m)")
    clips = "default: 300; 70/10/20, ref_avs 60/10/10/10/10 %%, video all in one split"
    add("--clips", type=Whole(1), default=300, help=clips)
    add("--split", help="clips of TRAIN/VAL/TEST instead; ref_avs: TRAIN/VAL/TEST_S/TEST_U/TEST_N")
    add("--seed", type=Whole(0), default=0)
    add("--size", type=Whole(1), default=224, help="side of the frames in pixels")
    frames = "frames of a clip (default: v1s, v1m 5; v2, ref_avs 10; video 30)"
    add("--frames", type=Whole(1), help=frames)
    add("--fps", type=Whole(1), help="video: frames a second (default: 5)")
    add("--classes", type=Whole(1), default=12, help="only the first so many (default: all 12)")
    unseen = "ref_avs: the last so many classes in test_u only (default: 3)"
    add("--unseen", type=Whole(0), help=unseen)
    add("--workers", type=Whole(1), default=2, help="processes (default: 2)")
    return parser


def _plan(options: argparse.Namespace) -> Plan:
    """What to write.

    Raises:
        ValueError: listing everything that is wrong with the options.
    """
    from auralsam2.data.synthetic.writer import LAYOUTS, Plan, asked_counts, layout_of
    from auralsam2.messages import unknown_name

    if options.layout not in LAYOUTS:
        raise ValueError(unknown_name("layout", options.layout, sorted(LAYOUTS)))
    layout = LAYOUTS[options.layout]
    problems: list[str] = []
    counts = asked_counts(options.layout, options.clips, options.split, problems)
    plan = Plan(
        options.layout,
        counts or (1,) * len(layout.splits),
        options.seed,
        options.size,
        layout.num_frames if options.frames is None else options.frames,
        options.classes,
        layout.default_unseen if options.unseen is None else options.unseen,
        layout.default_fps if options.fps is None else options.fps,
    )
    problems += [f"--{problem}" for problem in layout_of(plan).problems()]
    if problems:
        raise ValueError("\nand ".join(problems))
    return plan


if __name__ == "__main__":
    run_file(__file__)
