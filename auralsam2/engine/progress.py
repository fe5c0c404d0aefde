"""What a run tells about how far it is, without knowing who listens."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """A listener; every call is cheap and may be ignored."""

    def start_run(self, total_steps: int, epochs: int) -> None:
        """A training of ``total_steps`` steps begins or resumes."""

    def step(self, epoch: int, epochs: int, postfix: str) -> None:
        """One more training step is done; ``postfix`` is a short text such as the loss."""

    def finish_run(self) -> None:
        """The run has ended, whatever way."""


class Silent:
    """A listener that does nothing."""

    def start_run(self, total_steps: int, epochs: int) -> None:
        """Ignored."""

    def step(self, epoch: int, epochs: int, postfix: str) -> None:
        """Ignored."""

    def finish_run(self) -> None:
        """Ignored."""
