"""Let random draws hang on step and epoch, so that a resumed run goes on as it would have."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.hooks import Hook

from auralsam2.engine.distributed import unwrapped
from auralsam2.registry import HOOKS

# Odd constant of a linear congruential generator: neighbouring seeds and steps stay apart.
_STRIDE = 6364136223846793005


def step_seed(seed: int, step: int, rank: int = 0) -> int:
    """A 63-bit seed that is distinct for every (seed, step, rank) of a run."""
    mixed = ((seed * 1_000_003 + rank) * _STRIDE + step * 2 + 1) * _STRIDE
    return (mixed ^ (mixed >> 29)) % (1 << 63)


def seed_step(model: Any, seed: int, step: int, rank: int = 0) -> None:
    """Seed torch's own generator and a model's from (seed, step, rank) of a run."""
    value = step_seed(seed, step, rank)
    torch.manual_seed(value)
    model.generator.manual_seed(value)


@HOOKS.register_module()
class StepSeedHook(Hook):
    """Before step i, seed dropout's generator and the model's own from (seed, i).

    Nothing about random numbers then has to be stored to resume. Dropout draws from torch's
    global generator and offers no other.
    """

    priority = "VERY_HIGH"

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        """Seed for the step that follows."""
        seed_step(unwrapped(runner.model), self.seed, runner.iter, runner.rank)


@HOOKS.register_module()
class EpochHook(Hook):
    """Before every epoch, hand its number to a data set that asks for it.

    A transform's draws hang on (seed, epoch, clip): a resumed run goes on as it would have, with
    any number of workers.
    """

    def before_train_epoch(self, runner: Any) -> None:
        """Call ``set_epoch`` of the loader's own data set; mmengine copies the one it is given."""
        set_epoch = getattr(runner.train_dataloader.dataset, "set_epoch", None)
        if set_epoch is not None:
            set_epoch(runner.epoch)
