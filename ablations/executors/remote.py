"""What executors share whose runs happen on other machines that see the same disk.

The driver cannot reach into such a process: it learns from the claim in the run's folder how far
the run is, and ends the claim of a process that its cluster says is gone.
"""

from __future__ import annotations

import argparse
import os
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import Field, field, fields
from pathlib import Path
from typing import Any, Generic

from ablations.executors.base import Executor, Listener, Outcome, Outcomes, R, Source, T, Work
from ablations.runs import claims
from ablations.runs.processes import output_to
from auralsam2.engine.progress import Progress

Answer = tuple[Any, "str | None"]
"""What a function returned, and the traceback where it raised."""


def do_item(fn: Work[T, R], item: T, place: str, folder: str) -> Answer:
    """Do one item, on the machine that does it; an interrupt passes.

    Args:
        fn: does it.
        item: what.
        place: name of this try, unique among those alive; see `claims.PLACE_VARIABLE`.
        folder: working directory of the driver, where relative paths begin.
    """
    os.environ[claims.PLACE_VARIABLE] = place
    try:
        if Path.cwd() != Path(folder):
            _enter(folder)
        with output_to(item.run_dir):
            return fn(item, Progress()), None
    except Exception:
        return None, traceback.format_exc()


class Started(Generic[T]):
    """A run that happens elsewhere, as the driver follows it and tells a display."""

    def __init__(self, item: T, display: Listener) -> None:
        self.item = item
        self.tries = 1
        self.progress: Progress = display.run_started(item.label)
        self._claim = ""
        self._total = 0
        self._steps = 0

    def follow(self) -> None:
        """Tell the display what the run's claim says."""
        claim = claims.newest(self.item.run_dir)
        if claim is None or claim.ended is not None or not claim.progress:
            return
        stated = claim.progress
        total, epochs = int(stated.get("total", 0)), int(stated.get("epochs", 0))
        if total and (claim.token != self._claim or total != self._total):
            self._claim, self._total, self._steps = claim.token, total, 0
            self.progress.start_run(total, epochs)
        for _ in range(int(stated.get("step", 0)) - self._steps if self._total else 0):
            self._steps += 1
            self.progress.step(int(stated.get("epoch", 0)), epochs, str(stated.get("postfix", "")))


class RemoteRuns(ABC, Generic[T, R]):
    """The runs of one `Executor.map`, on a cluster."""

    def __init__(self, fn: Work[T, R], settings: Any) -> None:
        self.fn, self.settings = fn, settings
        self.running: dict[Any, Started[T]] = {}

    def outcomes(self, items: Iterable[T | None], display: Listener) -> Outcomes[T, R]:
        """Yield an outcome as each item ends; closing takes all from the cluster."""
        source = Source(items)
        try:
            while not source.empty or self.running:
                new: list[Started[T]] = []
                room = self.room() - len(self.running)
                while len(new) < room and (item := source.next()) is not None:
                    new.append(Started(item, display))
                if new:
                    self.submit(new)
                self.wait()
                for handle, started in list(self.running.items()):
                    started.follow()
                    yield from self.ended(handle, started)
        finally:
            self.cancel()

    @abstractmethod
    def most_tries(self) -> int:
        """Return how often an item is started in all, where its process vanishes."""

    @abstractmethod
    def room(self) -> int:
        """Return how many runs there may be at a time."""

    @abstractmethod
    def submit(self, those: Sequence[Started[T]]) -> None:
        """Hand runs to the cluster."""

    @abstractmethod
    def wait(self) -> None:
        """Wait a moment, or until something has ended."""

    @abstractmethod
    def ended(self, handle: Any, started: Started[T]) -> Iterator[Outcome[T, R]]:
        """Yield the outcome of a run where it has ended, and take it from `running`."""

    @abstractmethod
    def cancel(self) -> None:
        """Take all runs from the cluster."""

    def again(
        self, started: Started[T], place: str, said: str, *, out_of_memory: bool = False
    ) -> Iterator[Outcome[T, R]]:
        """Submit a run anew whose process is gone, as long as that may help.

        Args:
            started: the run.
            place: of the process, whose claim need not be waited for; claims of others stay.
            said: the error where it is given up.
            out_of_memory: whether that is why; then it would happen again.
        """
        claim = claims.newest(started.item.run_dir)
        if claim is not None and claim.ended is None and claim.place == place:
            claims.break_claim(started.item.run_dir, claim, f"lost: {place} is gone")
        if out_of_memory or started.tries >= self.most_tries():
            yield Outcome(started.item, error=said, lost=True, out_of_memory=out_of_memory)
        else:
            started.tries += 1
            self.submit([started])


def setting(default: Any, read: Callable[[str], Any], text: str) -> Any:
    """Return a field of a data class that the command line can set, with its default and help."""
    return field(default=default, metadata={"read": read, "text": text})


class RemoteExecutor(Executor):
    """Runs on a cluster, of a kind of its own with settings of its own."""

    prefix: str  # of its options
    kind_of_settings: type[Any]  # a data class, whose every `setting` is an option
    runs: type[RemoteRuns[Any, Any]]

    def __init__(self, settings: Any) -> None:
        self.settings = settings

    @classmethod
    def add_arguments(cls, parser: argparse._ActionsContainer) -> None:
        """Add ``--PREFIX-NAME`` for every setting."""
        for each in cls._settable():
            shown = "the cluster's" if each.default is None else each.default
            parser.add_argument(
                f"--{cls.prefix}-{each.name.replace('_', '-')}",
                type=each.metadata["read"],
                default=each.default,
                help=f"{each.metadata['text']}; default: {shown}",
            )

    @classmethod
    def from_options(cls, options: argparse.Namespace, **more: Any) -> RemoteExecutor:
        """Return one as asked for; ``more`` are fields that are no `setting`."""
        stated = {f.name: getattr(options, f"{cls.prefix}_{f.name}") for f in cls._settable()}
        return cls(cls.kind_of_settings(**stated, **more))

    def map(self, fn: Work[T, R], items: Iterable[T | None], display: Listener) -> Outcomes[T, R]:
        """Yield an outcome as each item ends; ``fn`` and the items must be picklable."""
        return self.runs(fn, self.settings).outcomes(items, display)

    @classmethod
    def _settable(cls) -> list[Field[Any]]:
        return [each for each in fields(cls.kind_of_settings) if each.metadata]


def _enter(folder: str) -> None:
    try:
        os.chdir(folder)
    except OSError as error:
        raise RuntimeError(
            f"this machine ({os.uname().nodename}) does not see the driver's folder '{folder}' "
            f"({error.strerror}): runs on several machines need a disk that all of them share"
        ) from error
