"""Trackers of experiments that may fail while their run goes on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from mmengine.logging import MMLogger

from auralsam2.registry import RUN_TRACKERS


class Expendable:
    """A tracker without which its run goes on: where it fails, a warning says so, once.

    Args:
        save_dir: of the run's own log.
        node: of the tracker.
    """

    def __init__(self, save_dir: str, node: dict[str, Any]) -> None:
        self.tracker = RUN_TRACKERS.build(node, save_dir=save_dir)
        self.failed = False

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.tracker, name)
        return partial(self._call, found) if name == "close" or name.startswith("add_") else found

    def _call(self, method: Callable[..., object], *given: Any, **named: Any) -> None:
        if self.failed and method.__name__ != "close":
            return
        try:
            method(*given, **named)
        except Exception as error:  # a network, a full disk, a server that is updated ...
            if not self.failed:
                tracker, why = type(self.tracker).__name__, f"{type(error).__name__}: {error}"
                logger = MMLogger.get_current_instance()
                logger.warning(f"the run goes on without {tracker}, which has failed: {why}")
            self.failed = True
