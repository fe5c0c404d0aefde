"""Early stopping that knows its metric and remembers: a resumed run stops where it would have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.hooks import EarlyStoppingHook as MMEngineEarlyStopping

from auralsam2.engine.metric_scales import better
from auralsam2.registry import HOOKS


@HOOKS.register_module()
class EarlyStoppingHook(MMEngineEarlyStopping):  # type: ignore[misc]
    """mmengine's hook, less two of its habits.

    It guesses from a metric's name which end is better, and it alone forgets the best score and the
    patience at every resume.

    Args:
        monitor: name of a metric of val.
        rule: ``"greater"`` or ``"less"``; the metric's own where None.
        **settings: as there.
    """

    def __init__(self, monitor: str, rule: str | None = None, **settings: Any) -> None:
        self._settings, self._own_rule = settings, rule is None
        super().__init__(monitor, rule or "greater", **settings)

    def watch(self, metrics: Sequence[Any]) -> None:
        """Take the direction of the metric that is monitored.

        Raises:
            ValueError: where it is not among the metrics.
        """
        rule = better(metrics, self.monitor, "monitor")
        if self._own_rule:
            super().__init__(self.monitor, rule, **self._settings)

    def before_run(self, runner: Any) -> None:
        """Look what the metrics of val say."""
        super().before_run(runner)
        self.watch(runner.val_evaluator.metrics)

    def recall(self, runner: Any, curve: Sequence[Mapping[str, Any]]) -> None:
        """Take up the validations of the sessions before, as the run's record has them."""
        for entry in curve:
            if not runner.train_loop.stop_training:
                self.after_val_epoch(runner, entry["scores"])
