"""One item after the other in this process: for debuggers."""

from __future__ import annotations

import argparse
import time
import traceback
from collections.abc import Iterable

from ablations.display import Display
from ablations.executors.base import (
    POLL_S,
    Executor,
    Outcome,
    Outcomes,
    R,
    Source,
    T,
    Work,
    register,
)
from ablations.runs.log import output_to


@register("inline")
class InlineExecutor(Executor):
    """One after the other in this process."""

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> InlineExecutor:
        """Return one: there is nothing to choose."""
        return cls()

    def map(self, fn: Work[T, R], items: Iterable[T | None], display: Display) -> Outcomes[T, R]:
        """Yield an outcome as each item ends."""
        source = Source(items)
        while not source.empty:
            item = source.next()
            if item is None:
                if not source.empty:
                    time.sleep(POLL_S)
                continue
            progress = display.run_started(item.label)
            try:
                with output_to(item.run_dir):
                    outcome: Outcome[T, R] = Outcome(item, fn(item, progress))
            except Exception:
                outcome = Outcome(item, error=traceback.format_exc())
            yield outcome
