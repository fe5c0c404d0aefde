"""Pass the training's progress on to a listener."""

from __future__ import annotations

import math
from collections import deque
from typing import Any

from mmengine.hooks import Hook

from auralsam2.engine.progress import Progress
from auralsam2.registry import HOOKS

_LAST = 5


@HOOKS.register_module()
class ProgressHook(Hook):
    """Report every step, and stop the run at once where the loss is not a number.

    Args:
        progress: the listener.

    Raises:
        FloatingPointError: where a loss is infinite or not a number.
    """

    priority = "LOW"

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.best: float | None = None
        self.last: deque[float] = deque(maxlen=_LAST)

    def before_train(self, runner: Any) -> None:
        """Announce the length of the run."""
        self.progress.start_run(runner.max_iters - runner.iter, runner.max_epochs)

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Report one step."""
        loss = float(outputs["loss"].detach())
        if not math.isfinite(loss):
            parts = {k: float(v.detach().mean()) for k, v in outputs.items() if "loss" in k}
            before = ", ".join(f"{value:.4g}" for value in self.last) or "none"
            raise FloatingPointError(
                f"the loss is {loss} at step {runner.iter}: {parts}; losses before: {before}"
            )
        self.last.append(loss)
        text = f"loss {loss:.2f}" + ("" if self.best is None else f", val {self.best:.3f}")
        self.progress.step(runner.epoch + 1, runner.max_epochs, text)

    def after_val_epoch(self, runner: Any, metrics: dict[str, float] | None = None) -> None:
        """Remember the newest validation score for the text."""
        if metrics:
            self.best = next(iter(metrics.values()))
