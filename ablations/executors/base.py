"""What every executor is: one call, ``map``, and a name on the command line.

An executor knows nothing of grids: it calls ``fn(item, progress)`` for every item and yields an
`Outcome` as each ends. What goes wrong with one item, a killed process included, ends that item
only.
"""

from __future__ import annotations

import argparse
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from ablations.display import Display
from auralsam2.engine.progress import Progress

POLL_S = 1.0
"""How often a source that had nothing to do is asked again."""


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
E = TypeVar("E", bound="type[Executor]")


class Work(Protocol[T_contra, R_co]):
    """A function that does one item; picklable, as its process may be another one."""

    def __call__(self, item: T_contra, progress: Progress, /) -> R_co:
        """Do ``item``, telling ``progress``."""
        ...


@dataclass(frozen=True)
class Outcome(Generic[T, R]):
    """How an item ended.

    Attributes:
        item: what was done.
        result: what the function returned.
        error: traceback, or how the process died; None where there is a result.
        lost: whether the process died under the item.
        out_of_memory: whether the system may have killed it for the memory that it took.
    """

    item: T
    result: R | None = None
    error: str | None = None
    lost: bool = False
    out_of_memory: bool = False


# A generator, so that the caller can end everything by closing it.
Outcomes = Generator[Outcome[T, R], None, None]


class Executor(ABC):
    """Runs a function over items.

    Attributes:
        name: on the command line; `register` sets it.
    """

    name: ClassVar[str] = ""

    @classmethod  # noqa: B027  (there may be none)
    def add_arguments(cls, parser: argparse._ActionsContainer) -> None:
        """Add the options that only this executor has."""

    @classmethod
    @abstractmethod
    def from_options(cls, options: argparse.Namespace) -> Executor:
        """Return the executor that a command line asks for.

        Args:
            options: of a parser that `add_arguments` has seen. Where the caller knows them:
                ``num_items`` (how many items there are at most), ``on_gpu`` (a function that
                tells whether they want one).

        Raises:
            ValueError: for options that contradict each other.
        """

    @abstractmethod
    def map(self, fn: Work[T, R], items: Iterable[T | None], display: Display) -> Outcomes[T, R]:
        """Yield an outcome as each item ends, in any order.

        Args:
            fn: does one item.
            items: asked for the next one only when there is room for it. None means that there is
                nothing to do now but may be later: it is asked again after `POLL_S`. What comes
                next may hang on the outcomes so far, so these are yielded as soon as they are
                there and not kept until the items are exhausted.
            display: told of every start and step.
        """


EXECUTORS: dict[str, type[Executor]] = {}
"""Name -> class of every executor."""


def register(name: str) -> Callable[[E], E]:
    """Offer a class as ``--executor NAME``."""

    def enter(executor: E) -> E:
        assert name not in EXECUTORS, f"two executors are called {name!r}"
        executor.name = name
        EXECUTORS[name] = executor
        return executor

    return enter


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


def replay(progress: Progress | None, calls: Iterable[tuple[str, tuple[Any, ...]]]) -> None:
    """Make calls that a run made elsewhere.

    Args:
        progress: the one here.
        calls: name of a method of `Progress` and its arguments.
    """
    for name, arguments in calls:
        getattr(progress, name)(*arguments)
