"""What a training enters in the record of its run: validations, steps, clips that were skipped."""

from __future__ import annotations

import math
import statistics
import time
from collections import Counter, deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine import dist
from mmengine.hooks import Hook

from auralsam2.data.collate import SKIPPED
from auralsam2.data.datasets.guarded import CorruptClip
from auralsam2.engine import run_record
from auralsam2.engine.benchmark.meters import wait_for
from auralsam2.engine.distributed import unwrapped
from auralsam2.engine.progress import Progress
from auralsam2.engine.run_record import RunRecord


class ProgressHook(Hook):
    """Tell every step and validation, and stop at once where the loss is not a number.

    A run that was killed between the checkpoint of an epoch and the end of its validation would
    go on without the scores of that epoch, and might select another one; such a validation is made
    up for before the training goes on. Those that are known are told again to every hook that has
    ``recall(runner, curve)``, since checkpoints are written before their validation.

    What the ``progress`` raises ends the run; its record is written after every validation.

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


class StepCostHook(Hook):
    """Enters in a record what a step has cost; nothing is run for it.

    The record's ``cost`` gets ``step_seconds``, the median over the steps of the session, of model,
    losses and optimizer on one batch, waiting for the batch apart; on a GPU also
    ``step_gpu_bytes``, the most that tensors have taken. Others who use the GPU or the cores are
    part of the numbers. ``environment["step"]`` says of what batch and how many frames.
    """

    # Before all others behind a step: what they do is no part of it.
    priority = "VERY_HIGH"

    def __init__(self, record: RunRecord) -> None:
        self.record = record
        self.seconds: list[float] = []
        self.peak_bytes, self._begun = 0, 0.0
        self.shape: tuple[int, ...] = ()

    def before_train(self, runner: Any) -> None:
        """Forget the peak of what was done before."""
        self.device = next(unwrapped(runner.model).parameters()).device
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        """A batch is there."""
        self.shape = tuple(data_batch["frames"].shape)
        self._begun = time.perf_counter()

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """The optimizer has had its turn; `ProgressHook` would wait for the loss as well."""
        wait_for(self.device)
        self.seconds.append(time.perf_counter() - self._begun)
        if self.device.type == "cuda":
            # Each time, since mmengine begins the peak anew whenever it logs.
            self.peak_bytes = max(self.peak_bytes, torch.cuda.max_memory_allocated(self.device))

    def after_train(self, runner: Any) -> None:
        """Enter what was measured."""
        if not self.seconds:
            return
        self.record.cost["step_seconds"] = round(statistics.median(self.seconds), 6)
        if self.peak_bytes:
            self.record.cost["step_gpu_bytes"] = self.peak_bytes
        self.record.environment["step"] = {
            "batch_size": self.shape[0],
            "num_frames": self.shape[1],
            "image_size": self.shape[-1],
            "steps": len(self.seconds),
        }


class SkippedClipsHook(Hook):
    """Takes what :class:`Guarded` passed over out of every batch before the model sees it.

    Worker processes have no part in the ``tally`` of how often: what they find comes with batches.
    """

    priority = "VERY_HIGH"

    def __init__(self, tally: Counter[CorruptClip]) -> None:
        self.tally = tally

    def before_train_iter(
        self, runner: Any, batch_idx: int, data_batch: dict[str, Any] | None = None
    ) -> None:
        """Count and remove ``skipped``."""
        if data_batch is not None:
            self.tally.update(data_batch.pop(SKIPPED, ()))


def note_skipped(record: RunRecord, split: str, tally: Mapping[CorruptClip, int]) -> None:
    """Enter which corrupt clips of a split were skipped, and how often."""
    if not tally:
        return
    record.skipped[split] = sum(tally.values())
    for corrupt, times in tally.items():
        often = f"{times} times" if times > 1 else "once"
        record.notes.append(
            f"{split}: skipped the corrupt clip '{corrupt.clip}' {often}: {corrupt.reason}"
        )
