"""How long a training step takes and how much of a GPU's memory, as the run itself goes."""

from __future__ import annotations

import statistics
import time
from typing import Any

import torch
from mmengine.hooks import Hook

from auralsam2.engine.distributed import unwrapped
from auralsam2.engine.efficiency import wait_for
from auralsam2.engine.run_record import RunRecord


class StepCostHook(Hook):
    """Enters in a record what a step has cost; nothing is run for it.

    The record's ``cost`` gets ``step_seconds``, the median over the steps of the session, of model,
    losses and optimizer on one batch, waiting for the batch apart; on a GPU also
    ``step_gpu_bytes``, the most that tensors have taken. Others who use the GPU or the cores are
    part of the numbers. ``environment["step"]`` says of what batch and how many frames.

    Args:
        record: of the run.
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
