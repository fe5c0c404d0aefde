from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from auralsam2.engine.hooks.early_stopping_hook import EarlyStoppingHook


def metric(name: str, higher_is_better: bool) -> Any:
    return SimpleNamespace(
        name=name, higher_is_better=higher_is_better, bounds=None, subject="object"
    )


def validated(hook: EarlyStoppingHook, scores: list[float]) -> bool:
    """Whether a training ends with these validations."""
    runner = SimpleNamespace(
        train_loop=SimpleNamespace(stop_training=False),
        val_evaluator=SimpleNamespace(metrics=[metric("top_error", False), metric("S", True)]),
        logger=SimpleNamespace(info=lambda *_: None),
    )
    hook.before_run(runner)
    for score in scores:
        hook.after_val_epoch(runner, {hook.monitor: score})
    return bool(runner.train_loop.stop_training)


@pytest.mark.parametrize(
    ("monitor", "rule", "stops_when_falling"),
    [
        ("top_error", None, False),  # the name would say that more is better
        ("S", None, True),
        ("top_error", "greater", True),  # what is stated counts
    ],
)
def test_the_metric_says_which_end_is_better(
    monitor: str, rule: str | None, stops_when_falling: bool
) -> None:
    falling = [5.0, 4.0, 3.0, 2.0]
    hooks = [EarlyStoppingHook(monitor, rule, min_delta=0.5, patience=2) for _ in range(2)]
    assert validated(hooks[0], falling) == stops_when_falling
    assert validated(hooks[1], falling[::-1]) != stops_when_falling


def test_a_metric_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="monitor got 'J'; evaluation.metrics give: F"):
        EarlyStoppingHook("J").watch([metric("F", True)])
