"""Train one config and test it once.

Examples:
    auralsam2 train auralsam2/mini_v1m
    auralsam2 train auralsam2/mini_v1m --set data.root=data/AVSBench seed=1 --out work_dirs/seed1
    auralsam2 train auralsam2/hiera_tiny_v1m --set model.backbone.checkpoint=/models/sam2.pt
    auralsam2 train auralsam2/mini_v1m --start-from work_dirs/seed1 --set optim.optimizer.lr=1e-4
    auralsam2 train auralsam2/mini_v1m --extend work_dirs/seed1 --set seed=1 optim.epochs=10
    auralsam2 train auralsam2/published/v1m --processes 4 --set data.batch_size=4 optim.accumulate=1
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from auralsam2.command_line import Parser, Whole, add_overrides, input_path, output_folder, run_file


def main(argv: Sequence[str] | None = None) -> int:
    """Run or resume a training; print its scores."""
    argv = sys.argv[1:] if argv is None else argv
    options = _parser().parse_args(argv)
    cfg, run_dir = _config_and_folder(options)

    from auralsam2.engine.distributed import launch
    from auralsam2.engine.run_folder import finished
    from auralsam2.engine.train import train

    if options.processes > 1:
        own = ["--processes", "1", "--out", str(run_dir)]
        return launch(options.processes, "auralsam2_tools.train", [*argv, *own])
    before = finished(run_dir)
    record = train(cfg, run_dir, keep_code=options.keep_code)
    if before is not None and record.finished == before:
        print(f"done before, {before}: nothing was trained")
    for split, scores in record.metrics.items():
        print(f"{split}: " + ", ".join(f"{k} {v:.4f}" for k, v in scores.items()))
    if record.status != "running":  # that is a process with a share of the batches
        print(f"record: {run_dir / 'record.json'}")
    return 0


def _parser() -> Parser:
    parser = Parser(__doc__)
    add = parser.add_argument
    add("config", help="a name or a path in .py")
    add("--base", help="config to inherit from in place of the one named there")
    add("--out", type=output_folder, help="run folder; default: WORK_DIR/NAME-HASH")
    add_overrides(parser, "overrides, applied in order")
    add(
        "--processes", type=Whole(1), default=1, metavar="N",
        help="share every batch among N processes of this machine, one a GPU; started by torchrun "
        "on a free port (or start this command with torchrun yourself, e.g. on several machines)",
    )  # fmt: skip
    begin = parser.add_mutually_exclusive_group()
    begin.add_argument(
        "--start-from", type=input_path, metavar="RUN",
        help="train anew from the weights of a run folder (or a file); the same as "
        "--set start.weights=FILE",
    )  # fmt: skip
    begin.add_argument(
        "--extend", type=input_path, metavar="RUN",
        help="go on where a finished run ended, to more epochs (--set optim.epochs=N), in a folder "
        "of its own; docs/running.md says with which learning rate",
    )  # fmt: skip
    add(
        "--keep-code", action="store_true",
        help="go on in a folder that other code has begun, or take its run where it is done",
    )  # fmt: skip
    return parser


def _config_and_folder(options: Any) -> tuple[Any, Path]:
    """The loaded config of a run, and where the run goes."""
    from auralsam2.config import config_hash, load, parse_overrides, peek
    from auralsam2.engine.run_folder import extension_of, start_from
    from auralsam2.weight_files import missing_files

    overrides = parse_overrides(options.set)
    source = options.start_from or options.extend
    if source is not None:
        overrides["start"] = (extension_of if options.extend else start_from)(source)
    # Before anything imports torch: who lacks a file of 200 MB should not wait to be told.
    stated = peek(options.config, overrides, options.base).to_dict()
    stated.pop("start", None)  # a run that has begun does not need it any more
    if missing := missing_files(stated):
        raise FileNotFoundError("\n".join(missing))
    cfg = load(options.config, overrides, options.base)
    begun = "" if source is None else f"-from-{source.name}"
    name = f"{Path(options.config).stem}-s{cfg.seed}-{config_hash(cfg)[:8]}{begun}"
    return cfg, output_folder(options.out or Path(cfg.runtime.work_dir) / name)


if __name__ == "__main__":
    run_file(__file__)
