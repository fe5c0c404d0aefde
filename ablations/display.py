"""What shows a grid while it runs; light enough for every process to know."""

from __future__ import annotations

from typing import Protocol

from auralsam2.engine.progress import Progress


class Display(Protocol):
    """Shows a grid; use it as a context manager."""

    def __enter__(self) -> Display:
        """Begin to show."""
        ...

    def __exit__(self, *_: object) -> None:
        """Stop showing."""
        ...

    def run_started(self, label: str) -> Progress:
        """Return whom a run that starts tells how far it is."""
        ...

    def run_finished(self, label: str, state: str, text: str) -> None:
        """Say how a run ended; ``text`` is a short line such as its scores."""
        ...

    def run_left(self, label: str, text: str) -> None:
        """Say why a run that had started here is not done yet."""
        ...

    def say(self, text: str) -> None:
        """Print one line."""
        ...
