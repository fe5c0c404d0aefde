"""Early stopping that remembers: a resumed run stops where it would have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.hooks import EarlyStoppingHook as MMEngineEarlyStopping

from auralsam2.registry import HOOKS


@HOOKS.register_module()
class EarlyStoppingHook(MMEngineEarlyStopping):  # type: ignore[misc]
    """mmengine's hook, which alone forgets the best score and the patience at every resume."""

    def recall(self, runner: Any, curve: Sequence[Mapping[str, Any]]) -> None:
        """Take up the validations of the sessions before.

        Args:
            runner: about to train.
            curve: of the run's record.
        """
        for entry in curve:
            if not runner.train_loop.stop_training:
                self.after_val_epoch(runner, entry["scores"])
