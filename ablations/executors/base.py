"""What every executor is: one call, ``map``, and a name on the command line.

An executor knows nothing of grids: it calls ``fn(item, progress)`` for every item and yields an
`Outcome` as each ends. What goes wrong with one item, a killed process included, ends that item
only.
"""

from __future__ import annotations

import argparse
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from auralsam2.builder import Registry
from auralsam2.engine.progress import Progress

POLL_S = 1.0
"""How often a source that had nothing to do is asked again."""
DEFAULT = "local"

EXECUTORS = Registry(
    "executor",
    contract="from_options(argparse.Namespace) of the options that add_arguments adds; "
    "map(fn, items, display) -> an Outcome as each item ends; closing it ends everything. Its "
    "libraries are imported when it is built",
    locations=["ablations.executors.*"],
    base="ablations.executors.base:Executor",
)


class Item(Protocol):
    """What an executor needs to know of a piece of work."""

    @property
    def label(self) -> str:
        """Name for the display."""
        ...

    @property
    def run_dir(self) -> Path:
        """Folder of its log."""
        ...


T = TypeVar("T", bound=Item)
R = TypeVar("R")
T_contra = TypeVar("T_contra", bound=Item, contravariant=True)
R_co = TypeVar("R_co", covariant=True)


class Work(Protocol[T_contra, R_co]):
    """A function that does one item; picklable, as its process may be another one."""

    def __call__(self, item: T_contra, progress: Progress, /) -> R_co:
        """Do ``item``, telling ``progress``."""
        ...


class Listener(Protocol):
    """Whom an executor tells that items start, such as an `ablations.display.Display`."""

    def run_started(self, label: str) -> Progress:
        """Return whom the item of a label tells how far it is."""
        ...


@dataclass(frozen=True)
class Outcome(Generic[T, R]):
    """How an item ended."""

    item: T  # what was done
    result: R | None = None  # what the function returned
    error: str | None = None  # traceback, or how the process died; None where there is a result
    lost: bool = False  # whether the process died under the item
    out_of_memory: bool = False  # whether the system may have killed it for the memory that it took


# A generator, so that the caller can end everything by closing it.
Outcomes = Generator[Outcome[T, R], None, None]


class Executor(ABC):
    """Runs a function over items."""

    @classmethod  # noqa: B027  (there may be none)
    def add_arguments(cls, parser: argparse._ActionsContainer) -> None:
        """Add the options that only this executor has."""

    @classmethod
    def problems(cls) -> list[str]:
        """What it lacks on this machine, found without building it."""
        return []

    @classmethod
    @abstractmethod
    def from_options(cls, options: argparse.Namespace) -> Executor:
        """Return the executor that a command line asks for.

        Args:
            options: of a parser that `add_arguments` has seen, with ``num_items`` (how many there
                are at most) and ``on_gpu`` (a function that tells whether they want one).

        Raises:
            ValueError: for options that contradict each other.
        """

    @abstractmethod
    def map(self, fn: Work[T, R], items: Iterable[T | None], display: Listener) -> Outcomes[T, R]:
        """Yield an outcome as each item ends, in any order.

        Args:
            fn: does one item.
            items: asked for the next one only when there is room for it. None means that there is
                nothing to do now but may be later: it is asked again after `POLL_S`. What comes
                next may hang on the outcomes so far, so these are yielded as soon as they are
                there and not kept until the items are exhausted.
            display: told of every start and step.
        """


class Source(Generic[T]):
    """Items one at a time, as an executor takes them.

    Attributes:
        empty: whether there will be no more.
    """

    def __init__(self, items: Iterable[T | None]) -> None:
        self.items: Iterator[T | None] = iter(items)
        self.empty = False

    def next(self) -> T | None:
        """Return the next item; None where there is none now, or none any more."""
        if self.empty:
            return None
        try:
            return next(self.items)
        except StopIteration:
            self.empty = True
            return None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--executor`` and the options of every executor."""
    names = EXECUTORS.names()
    parser.add_argument("--executor", choices=names, default=DEFAULT, help=f"default: {DEFAULT}")
    for name in names:
        group = parser.add_argument_group(f"--executor {name}")
        EXECUTORS.lookup(name).add_arguments(group)  # type: ignore[attr-defined]


def from_options(options: argparse.Namespace) -> Executor:
    """Return the executor that a command line asks for.

    Raises:
        ValueError: for options that contradict each other.
    """
    executor: Executor = EXECUTORS.lookup(options.executor).from_options(options)  # type: ignore[attr-defined]
    return executor
