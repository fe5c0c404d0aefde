"""What a run tells about how far it is, without knowing whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class StopRun(Exception):
    """Raised by a `Progress` to end a run that need not go on, e.g. a trial that is pruned.

    Attributes:
        reason: for the record.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Progress:
    """Is told how far a run is; every call is cheap, and does nothing unless a subclass says so."""

    def start_run(self, total_steps: int, epochs: int) -> None:
        """A training of ``total_steps`` steps begins or resumes."""

    def step(self, epoch: int, epochs: int, postfix: str) -> None:
        """One more training step is done; ``postfix`` is a short text such as the loss."""

    def validated(self, epoch: int, scores: Mapping[str, float]) -> None:
        """The model of ``epoch`` (from 1) has these scores on val.

        Called in the process that trains, after the checkpoint of the epoch is written.

        Raises:
            StopRun: to end the run here; its record says so and it gets no test scores.
        """

    def finish_run(self) -> None:
        """The run has ended, whatever way."""

    def of_member(self, index: int, call: str, *arguments: Any) -> None:
        """One of several runs side by side tells what another ``call`` of this class says."""


class Forwarding(Progress):
    """Passes what a run tells on to another one; a subclass adds to some calls, or to `forward`."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress

    def forward(self, call: str, *arguments: Any) -> None:
        """Pass a call on, all of which come through here."""
        getattr(self.progress, call)(*arguments)

    def start_run(self, total_steps: int, epochs: int) -> None:
        """Pass on."""
        self.forward("start_run", total_steps, epochs)

    def step(self, epoch: int, epochs: int, postfix: str) -> None:
        """Pass on."""
        self.forward("step", epoch, epochs, postfix)

    def validated(self, epoch: int, scores: Mapping[str, float]) -> None:
        """Pass on."""
        self.forward("validated", epoch, scores)

    def finish_run(self) -> None:
        """Pass on."""
        self.forward("finish_run")

    def of_member(self, index: int, call: str, *arguments: Any) -> None:
        """Pass on."""
        self.forward("of_member", index, call, *arguments)
