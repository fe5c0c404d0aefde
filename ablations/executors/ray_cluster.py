"""Tasks on an existing Ray cluster of any number of nodes that see the same disk."""

from __future__ import annotations

import argparse
import os
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ablations.display import Display
from ablations.executors.base import (
    EXECUTORS,
    POLL_S,
    Executor,
    Outcome,
    Outcomes,
    R,
    Source,
    T,
    Work,
    add_settings,
    read_settings,
    setting,
)
from ablations.executors.remote import Started, do_item, release
from auralsam2.command_line import Real, Whole


@dataclass(frozen=True)
class RaySettings:
    """What is asked of the cluster for every run; it may have the address ``ray://host:port``."""

    address: str = setting(
        "auto", str, "of the cluster: HOST:PORT, or auto for that of this machine"
    )
    cpus: float = setting(1.0, Real(least=0), "cores of a run")
    gpus: float = setting(0.0, Real(least=0), "GPUs of a run; 0.5 puts two on each")
    jobs: int = setting(0, Whole(0), "runs at a time; 0: as many as there is room for")
    retries: int = setting(3, Whole(0), "how often a run goes on elsewhere after its node was lost")


@EXECUTORS.register_module("ray")
class RayExecutor(Executor):
    """Tasks on an existing Ray cluster; runs of a lost node resume on another one.

    Closing cancels the tasks.

    Raises:
        ImportError: where Ray is missing.
        ConnectionError: where there is no cluster at the address.
    """

    def __init__(self, settings: RaySettings) -> None:
        self.settings = settings
        try:
            import ray
        except ImportError as error:
            raise ImportError(
                "--executor ray needs Ray: pip install 'auralsam2[ray]', the cluster's version"
            ) from error
        if ray.is_initialized():
            return
        try:
            ray.init(address=settings.address, log_to_driver=False, configure_logging=False)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise ConnectionError(
                f"--ray-address got {settings.address!r}: {error}; start a cluster with "
                "`ray start --head`, and give its address"
            ) from error

    @classmethod
    def add_arguments(cls, parser: argparse._ActionsContainer) -> None:
        """Add ``--ray-...``."""
        add_settings(parser, "ray", RaySettings)

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> RayExecutor:
        """Return one as asked for.

        Raises:
            ValueError: where nothing keeps Ray from starting all runs at once.
        """
        if options.ray_cpus == options.ray_gpus == 0:
            raise ValueError(
                "--ray-cpus and --ray-gpus are both 0: Ray would start all runs at once"
            )
        return cls(read_settings(options, "ray", RaySettings))

    def map(self, fn: Work[T, R], items: Iterable[T | None], display: Display) -> Outcomes[T, R]:
        """Yield an outcome as each item ends; ``fn`` and the items must be picklable."""
        import ray

        source: Source[T] = Source(items)
        tasks = _Tasks(self.settings, fn)
        try:
            while not source.empty or tasks.running:
                room = tasks.room()
                while len(tasks.running) < room:
                    if (item := source.next()) is None:
                        break
                    tasks.start(Started(item, display))
                ready: list[Any] = []
                if tasks.running:
                    ready, _ = ray.wait(list(tasks.running), timeout=POLL_S)
                else:
                    time.sleep(POLL_S)
                for started, _ in tasks.running.values():
                    started.follow()
                for reference in ready:
                    yield from tasks.ended(reference)
        finally:
            tasks.cancel()


class _Tasks:
    """The tasks of one `map`."""

    def __init__(self, settings: RaySettings, fn: Any) -> None:
        import ray

        self.settings, self.fn = settings, fn
        self.running: dict[Any, tuple[Started[Any], str]] = {}
        # A process of its own for every run: what one leaves on a GPU is gone with it. Retries
        # are made here, where claims are known.
        self._remote: Any = ray.remote(
            num_cpus=settings.cpus, num_gpus=settings.gpus, max_calls=1, max_retries=0
        )(do_item)

    def start(self, started: Started[Any]) -> None:
        """Hand a run to the cluster."""
        place = f"Ray task {uuid.uuid4().hex[:12]}"
        reference = self._remote.remote(self.fn, started.item, place, os.getcwd())
        self.running[reference] = (started, place)

    def room(self) -> int:
        """How many runs the cluster can do at a time, nodes that come and go included."""
        import ray

        if self.settings.jobs:
            return self.settings.jobs
        held = ray.cluster_resources()
        wanted = {"CPU": self.settings.cpus, "GPU": self.settings.gpus}
        rooms = [int(held.get(kind, 0) / each) for kind, each in wanted.items() if each]
        # At least one: Ray itself says what it is waiting for.
        return max(1, min(rooms))

    def ended(self, reference: Any) -> Iterable[Outcome[Any, Any]]:
        """Yield the outcome of a task, or start it again where its node or process is lost."""
        import ray

        started, place = self.running.pop(reference)
        try:
            answer = ray.get(reference)
        except ray.exceptions.RayTaskError as error:  # not the run's: that comes as an answer
            yield Outcome(started.item, error=str(error))
        except ray.exceptions.RayError as error:
            yield from self._again(started, place, error)
        else:
            yield Outcome(started.item, result=answer.result, error=answer.error)

    def _again(
        self, started: Started[Any], place: str, error: Exception
    ) -> Iterable[Outcome[Any, Any]]:
        import ray

        release(started.item, place, "lost: its Ray process is gone")
        memory = isinstance(error, ray.exceptions.OutOfMemoryError)
        if memory or started.tries > self.settings.retries:
            text = f"lost on the Ray cluster ({started.tries} tries): {error}"
            yield Outcome(started.item, error=text, lost=True, out_of_memory=memory)
            return
        started.tries += 1
        self.start(started)

    def cancel(self) -> None:
        """End all tasks."""
        import ray

        for reference in self.running:
            ray.cancel(reference, force=True)
