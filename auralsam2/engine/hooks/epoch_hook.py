"""Tell the training data which epoch it is, so that random transforms are drawn anew."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook

from auralsam2.registry import HOOKS


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
