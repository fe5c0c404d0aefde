"""Keep the validation curve of a run, and let a listener end the run by it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmengine.hooks import Hook

from auralsam2.engine import distributed, run_record
from auralsam2.engine.progress import Progress
from auralsam2.engine.run_record import RunRecord
from auralsam2.registry import HOOKS


@HOOKS.register_module()
class ValidationHook(Hook):
    """Enter every validation in the record, then pass it on.

    A run that was killed between the checkpoint of an epoch and the end of its validation would
    go on without the scores of that epoch, and might select another one; such a validation is made
    up for before the training goes on. Those that are known are told again to every hook that has
    ``recall(runner, curve)``, since checkpoints are written before their validation.

    Args:
        progress: the listener; what it raises ends the run.
        record: of the run, written after every validation.
        run_dir: folder of the run.
    """

    # After CheckpointHook: what counts as validated has its checkpoints on disk.
    priority = "LOWEST"

    def __init__(self, progress: Progress, record: RunRecord, run_dir: Path) -> None:
        self.progress, self.record, self.run_dir = progress, record, run_dir

    def before_train(self, runner: Any) -> None:
        """Forget what came after the checkpoint, and make up for a lost validation."""
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

    def after_val_epoch(self, runner: Any, metrics: dict[str, float] | None = None) -> None:
        """Enter the scores."""
        if not metrics:
            return
        run_record.add_validation(self.record, runner.epoch, metrics)
        if distributed.is_main():
            run_record.write(self.record, self.run_dir)
        self.progress.validated(runner.epoch, dict(metrics))
