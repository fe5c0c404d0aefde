"""How grids and sweeps are run: what ``run-grid`` and ``run-sweep`` let their users choose."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, fields

from ablations.executors import base as executors
from ablations.runs.claims import BEAT_S, STALE_S
from auralsam2.command_line import Parser, Real, Whole, add_overrides, output_file, output_folder

MOST_SEEDS = 10
"""Seeds of a grid that runs until claims are decided, where nothing else is said."""


@dataclass(frozen=True)
class Options:
    """How a grid or a sweep is run."""

    # Run again what failed in an earlier call, in a grid also what was stopped.
    retry_failed: bool = False
    deletes_checkpoints: bool = False  # of finished runs, all but the selected weights
    only: Sequence[str] = ()  # runs of a grid, see `ablations.grids.plan.select`
    oom_retries: int = 0  # how often a run that runs out of memory is tried with halved batches
    # Runs of a grid that go side by side in a process at most, 0 for as many as fit; None for none.
    lockstep: int | None = None
    stale_s: float = STALE_S  # silence after which the owner of a claim counts as gone
    max_failures: int = 5  # so many failures in a row end a sweep


def add_grid_arguments(parser: Parser) -> None:
    """Add the grid, the options and those of the executors to a parser."""
    add = parser.add_argument
    add("grid", nargs="?", help="a name or a path in .py; none lists the names")
    add("--base", help="config that cells start from in place of the grid's own; docs/grids.md")
    add("--seeds", type=Whole(0), nargs="+", help="in place of the grid's own")
    add("--all-cells", action="store_true", help="with --dry-run, however many")
    add("--keep-code", action="store_true", help="take runs that were made by other code as done")
    add("--preflight", action="store_true", help="first do one training step of every cell")
    only = "of these runs only; NAME is an axis, cell or seed; may be repeated"
    add("--only", action="append", default=[], metavar="NAME=VALUE", help=only)
    _add_until_decided(parser)
    _add_ways(parser)
    _add_shared(parser, "grid", "every cell, applied last")


def _add_ways(parser: Parser) -> None:
    """Add how the runs of a grid are done."""
    add = parser.add_argument
    abreast = "train runs that share data, seed and frozen image encoder side by side, on one "
    abreast += "encoding of each clip; at most N; docs/grids.md says when it pays"
    add("--lockstep", type=Whole(0), nargs="?", const=0, metavar="N", help=abreast)
    halved = "up to N times, halve the batches of a run that is out of memory, and accumulate"
    add("--oom-retries", type=Whole(0), default=0, metavar="N", help=halved)
    stale = "take over a run whose process, on another machine, has been silent for S seconds; a "
    stale += f"live one writes every {BEAT_S:.0f}; default: {STALE_S:.0f}"
    seconds = Real(above=2 * BEAT_S)
    add("--stale-after", dest="stale_s", type=seconds, default=STALE_S, metavar="S", help=stale)


def _add_until_decided(parser: Parser) -> None:
    """Add what lets a grid grow by seeds."""
    add = parser.add_argument
    until = "add seeds, one by one, to the cells of these claims (a name or a path in .py) until "
    until += "each is supported or contradicted; docs/statistics.md says at which levels"
    add("--until-decided", metavar="CLAIMS", help=until)
    most = f"seeds after which that ends; the levels hang on it; default: {MOST_SEEDS}"
    add("--max-seeds", type=Whole(2), default=MOST_SEEDS, metavar="N", help=most)
    hours = "end before so many hours of training, added up over runs, are exceeded"
    add("--budget", type=Real(above=0), metavar="HOURS", help=hours)
    parser.needed("--max-seeds", "--until-decided")
    parser.needed("--budget", "--until-decided")
    why = "chooses cells itself, and trains them"
    parser.useless("--until-decided", why, "--only", "--dry-run")


def add_sweep_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sweep, the options and those of the executors to a parser."""
    add = parser.add_argument
    add("space", help="a name or a path in .py")
    add("--trials", type=Whole(1), required=True, metavar="N", help="over all calls and drivers")
    add("--sampler", metavar="tpe|cmaes|random|grid", help="in place of the file's own")
    add("--pruner", metavar="hyperband|median|none", help="in place of the file's own")
    kept = "of the study: a journal file, or a database as SQLAlchemy takes it; default: "
    kept += "journal.log in the folder of the sweep"
    add("--storage", type=_storage, metavar="FILE|URL", help=kept)
    most = Options.max_failures
    failures = f"end after N failures in a row; default: {most}"
    add("--max-failures", type=Whole(1), default=most, metavar="N", help=failures)
    _add_shared(parser, "sweep", "the base, before a trial")


def chosen(namespace: argparse.Namespace) -> Options:
    """Return what a command line chose."""
    names = [field.name for field in fields(Options)]
    return Options(**{key: value for key, value in vars(namespace).items() if key in names})


def _add_shared(parser: argparse.ArgumentParser, what: str, where_set: str) -> None:
    add = parser.add_argument
    add("--out", type=output_folder, help=f"folder of the {what}; default: the file's own")
    add_overrides(parser, f"set in {where_set}")
    add("--dry-run", action="store_true", help="check and show what there is, and train nothing")
    add("--retry-failed", action="store_true", help="run again what failed, or was stopped")
    pruned = "delete what done runs do not need; best.safetensors stays"
    add("--prune-checkpoints", dest="deletes_checkpoints", action="store_true", help=pruned)
    executors.add_arguments(parser)


def _storage(text: str) -> str:
    return text if "://" in text else str(output_file(text))
