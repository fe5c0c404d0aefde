"""How a sweep is run: what ``run-sweep`` lets its users choose."""

from __future__ import annotations

import argparse

from auralsam2.command_line import Whole, add_overrides, output_file, output_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options to a parser, those of the executors included."""
    from ablations.executors import base as executors

    add = parser.add_argument
    add("space", help="a name or a path in .py")
    add("--trials", type=Whole(1), required=True, metavar="N", help="over all calls and drivers")
    add("--out", type=output_folder, help="folder of the sweep; default: the file's own")
    add("--sampler", metavar="tpe|cmaes|random|grid", help="in place of the file's own")
    add("--pruner", metavar="hyperband|median|none", help="in place of the file's own")
    add(
        "--storage",
        type=_storage,
        metavar="FILE|URL",
        help="of the study: a journal file, or a database as SQLAlchemy takes it; default: "
        "journal.log in the folder of the sweep",
    )
    add_overrides(parser, "set in the base, before a trial")
    add("--dry-run", action="store_true", help="check and show the space and train nothing")
    add("--retry-failed", action="store_true", help="try failed trials again")
    add(
        "--max-failures",
        type=Whole(1),
        default=5,
        metavar="N",
        help="end after N failures in a row; default: 5",
    )
    add(
        "--prune-checkpoints",
        action="store_true",
        help="delete what complete trials do not need; best.safetensors stays",
    )
    executors.add_arguments(parser)


def _storage(text: str) -> str:
    return text if "://" in text else str(output_file(text))
