"""How a grid is run: what ``run-grid`` and other drivers let their users choose."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from ablations.executors import base as executors
from ablations.runs.claims import BEAT_S, STALE_S
from auralsam2.command_line import Real, Whole, add_overrides, output_folder


@dataclass(frozen=True)
class Options:
    """How a grid is run.

    Attributes:
        retry_failed: run again what failed or was stopped in an earlier call.
        only: see `ablations.grids.selection.select`.
        oom_retries: how often a run that runs out of memory is tried with halved batches.
        deletes_checkpoints: of finished runs, all but the selected weights.
        stale_s: silence after which the owner of a claim counts as gone.
    """

    retry_failed: bool = False
    only: Sequence[str] = ()
    oom_retries: int = 0
    deletes_checkpoints: bool = False
    stale_s: float = STALE_S


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the grid, the options and those of the executors to a parser."""
    add = parser.add_argument
    add("grid", nargs="?", help="a name or a path in .py; none lists the names")
    add("--base", help="config that cells start from in place of the grid's own; docs/grids.md")
    add("--out", type=output_folder, help="folder of the runs; default: the grid's own")
    add("--seeds", type=Whole(0), nargs="+", help="in place of the grid's own")
    add("--dry-run", action="store_true", help="show the runs and train nothing")
    add("--all-cells", action="store_true", help="with --dry-run, however many")
    add_overrides(parser, "set in every cell, applied last")
    add("--keep-code", action="store_true", help="take runs that were made by other code as done")
    add("--preflight", action="store_true", help="first do one training step of every cell")
    add(
        "--only",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="of these runs only; NAME is an axis, cell or seed; may be repeated",
    )
    add("--retry-failed", action="store_true", help="run again what failed or was stopped")
    add(
        "--oom-retries",
        type=Whole(0),
        default=0,
        metavar="N",
        help="up to N times, halve the batches of a run that is out of memory, and accumulate",
    )
    add(
        "--prune-checkpoints",
        action="store_true",
        help="delete what done runs do not need; best.safetensors stays",
    )
    add(
        "--stale-after",
        type=Real(above=2 * BEAT_S),
        default=STALE_S,
        metavar="S",
        help="take over a run whose process, on another machine, has been silent for S seconds; a "
        f"live one writes every {BEAT_S:.0f}; default: {STALE_S:.0f}",
    )
    executors.add_arguments(parser)


def from_namespace(options: argparse.Namespace) -> Options:
    """Return what a command line chose."""
    return Options(
        retry_failed=options.retry_failed,
        only=tuple(options.only),
        oom_retries=options.oom_retries,
        deletes_checkpoints=options.prune_checkpoints,
        stale_s=options.stale_after,
    )
