"""Where runs happen: in this process, in processes of this machine, or elsewhere.

A module of this package that decorates a class with `register` adds an executor; its libraries are
imported when it is used, not when it is registered.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from pkgutil import iter_modules

from ablations.executors.base import EXECUTORS as EXECUTORS
from ablations.executors.base import Executor as Executor
from ablations.executors.base import Item as Item
from ablations.executors.base import Outcome as Outcome
from ablations.executors.base import Outcomes as Outcomes
from ablations.executors.base import Work as Work
from ablations.executors.base import register as register
from ablations.executors.inline import InlineExecutor as InlineExecutor
from ablations.executors.local import LocalExecutor as LocalExecutor

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

DEFAULT = LocalExecutor.name


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--executor`` and the options of every executor."""
    parser.add_argument(
        "--executor", choices=sorted(EXECUTORS), default=DEFAULT, help=f"default: {DEFAULT}"
    )
    for name, executor in sorted(EXECUTORS.items()):
        executor.add_arguments(parser.add_argument_group(f"--executor {name}"))


def from_options(options: argparse.Namespace) -> Executor:
    """Return the executor that a command line asks for.

    Raises:
        ValueError: for options that contradict each other.
    """
    return EXECUTORS[options.executor].from_options(options)
