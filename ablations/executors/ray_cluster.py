"""Tasks on an existing Ray cluster of any number of nodes that see the same disk."""

from __future__ import annotations

import argparse
import os
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from ablations.executors.base import EXECUTORS, POLL_S, Outcome, R, T, Work
from ablations.executors.remote import RemoteExecutor, RemoteRuns, Started, do_item, setting
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


class _Tasks(RemoteRuns[T, R]):
    """Tasks by Ray's references to their results."""

    settings: RaySettings

    def __init__(self, fn: Work[T, R], settings: RaySettings) -> None:
        import ray

        super().__init__(fn, settings)
        self._places: dict[Any, str] = {}
        self._ready: list[Any] = []
        # A process of its own for every run: what one leaves on a GPU is gone with it. Retries
        # are made here, where claims are known.
        self._remote: Any = ray.remote(
            num_cpus=settings.cpus, num_gpus=settings.gpus, max_calls=1, max_retries=0
        )(do_item)

    def most_tries(self) -> int:
        return self.settings.retries + 1

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

    def submit(self, those: Sequence[Started[T]]) -> None:
        for started in those:
            place = f"Ray task {uuid.uuid4().hex[:12]}"
            reference = self._remote.remote(self.fn, started.item, place, os.getcwd())
            self.running[reference], self._places[reference] = started, place

    def wait(self) -> None:
        import ray

        if self.running:
            self._ready, _ = ray.wait(list(self.running), timeout=POLL_S)
        else:
            time.sleep(POLL_S)

    def ended(self, reference: Any, started: Started[T]) -> Iterator[Outcome[T, R]]:
        import ray

        if reference not in self._ready:
            return
        del self.running[reference]
        try:
            answer = ray.get(reference)
        except ray.exceptions.RayTaskError as error:  # not the run's: that comes as an answer
            yield Outcome(started.item, error=str(error))
        except ray.exceptions.RayError as error:
            memory = isinstance(error, ray.exceptions.OutOfMemoryError)
            said = f"lost on the Ray cluster ({started.tries} tries): {error}"
            yield from self.again(started, self._places[reference], said, out_of_memory=memory)
        else:
            yield Outcome(started.item, *answer)

    def cancel(self) -> None:
        import ray

        for reference in self.running:
            ray.cancel(reference, force=True)


@EXECUTORS.register_module("ray")
class RayExecutor(RemoteExecutor):
    """Tasks on an existing Ray cluster; runs of a lost node resume on another one.

    Closing cancels the tasks.

    Raises:
        ImportError: where Ray is missing.
        ConnectionError: where there is no cluster at the address.
    """

    prefix, kind_of_settings, runs = "ray", RaySettings, _Tasks

    def __init__(self, settings: RaySettings) -> None:
        super().__init__(settings)
        if problems := self.problems():
            raise ImportError(f"--executor ray: {problems[0]}")
        import ray

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
    def problems(cls) -> list[str]:
        """Ray, where it is missing; no cluster is asked."""
        if find_spec("ray") is not None:
            return []
        return ["no Ray: pip install 'auralsam2[ray]', the cluster's version"]

    @classmethod
    def from_options(cls, options: argparse.Namespace, **more: Any) -> RemoteExecutor:
        """Return one as asked for.

        Raises:
            ValueError: where nothing keeps Ray from starting all runs at once.
        """
        if options.ray_cpus == options.ray_gpus == 0:
            raise ValueError(
                "--ray-cpus and --ray-gpus are both 0: Ray would start all runs at once"
            )
        return super().from_options(options, **more)
