"""What a run tells about how far it is, without knowing who listens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class StopRun(Exception):
    """Raised by a listener to end a run that need not go on, e.g. a trial that is pruned.

    Attributes:
        reason: for the record.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Progress(Protocol):
    """A listener; every call is cheap and may be ignored."""

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


class Silent:
    """A listener that does nothing."""

    def start_run(self, total_steps: int, epochs: int) -> None:
        """Ignored."""

    def step(self, epoch: int, epochs: int, postfix: str) -> None:
        """Ignored."""

    def validated(self, epoch: int, scores: Mapping[str, float]) -> None:
        """Ignored."""

    def finish_run(self) -> None:
        """Ignored."""
