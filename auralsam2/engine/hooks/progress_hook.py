"""Tell the record and the `Progress` of a run how far it is."""

from __future__ import annotations

import math
from collections import deque
from pathlib import Path
from typing import Any

from mmengine import dist
from mmengine.hooks import Hook

from auralsam2.engine import run_record
from auralsam2.engine.progress import Progress
from auralsam2.engine.run_record import RunRecord
from auralsam2.registry import HOOKS


@HOOKS.register_module()
class ProgressHook(Hook):
    """Tell every step and validation, and stop at once where the loss is not a number.

    A run that was killed between the checkpoint of an epoch and the end of its validation would
    go on without the scores of that epoch, and might select another one; such a validation is made
    up for before the training goes on. Those that are known are told again to every hook that has
    ``recall(runner, curve)``, since checkpoints are written before their validation.

    Args:
        progress: told everything; what it raises ends the run.
        record: of the run, written after every validation.
        run_dir: folder of the run.

    Raises:
        FloatingPointError: where a loss is infinite or not a number.
    """

    # After CheckpointHook: what counts as validated has its checkpoints on disk.
    priority = "LOWEST"

    def __init__(self, progress: Progress, record: RunRecord, run_dir: Path) -> None:
        self.progress, self.record, self.run_dir = progress, record, run_dir
        self.newest_score: float | None = None
        self.last_losses: deque[float] = deque(maxlen=5)

    def before_train(self, runner: Any) -> None:
        """Forget what came after the checkpoint, and make up for a lost validation."""
        self.progress.start_run(runner.max_iters - runner.iter, runner.max_epochs)
        epoch = runner.epoch
        self.record.curve = [entry for entry in self.record.curve if entry["epoch"] <= epoch]
        for hook in runner.hooks:
            if hasattr(hook, "recall"):
                hook.recall(runner, self.record.curve)
        known = self.record.curve[-1]["epoch"] if self.record.curve else 0
        due = epoch % runner.train_loop.val_interval == 0 or epoch == runner.max_epochs
        if epoch > known and due:
            runner.logger.info(f"validating epoch {epoch}, which was cut off")
            runner.val_loop.run()

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Tell that a step is done, and how its loss was."""
        loss = float(outputs["loss"].detach())
        if not math.isfinite(loss):
            parts = {k: float(v.detach().mean()) for k, v in outputs.items() if "loss" in k}
            before = ", ".join(f"{value:.4g}" for value in self.last_losses) or "none"
            raise FloatingPointError(
                f"the loss is {loss} at step {runner.iter}: {parts}; losses before: {before}"
            )
        self.last_losses.append(loss)
        score = "" if self.newest_score is None else f", val {self.newest_score:.3f}"
        self.progress.step(runner.epoch + 1, runner.max_epochs, f"loss {loss:.2f}{score}")

    def after_val_epoch(self, runner: Any, metrics: dict[str, float] | None = None) -> None:
        """Enter the scores, and tell them."""
        if not metrics:
            return
        self.newest_score = next(iter(metrics.values()))
        run_record.add_validation(self.record, runner.epoch, metrics)
        if dist.is_main_process():
            run_record.write(self.record, self.run_dir)
        self.progress.validated(runner.epoch, dict(metrics))
