"""A run that is cut off anywhere ends with the very numbers that it would have had."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from auralsam2.engine.train import train


@pytest.fixture
def assert_resumes(assert_same_run: Any, tmp_path: Path) -> Callable[..., Any]:
    """Train in one go and in pieces, and compare all that comes out."""

    def compare(cfg: Any, *unplugged: Any) -> Any:
        expected = train(cfg, tmp_path / "whole")
        for plug in unplugged:
            with pytest.raises(KeyboardInterrupt):
                train(cfg, tmp_path / "pieces", progress=plug)
        record = train(cfg, tmp_path / "pieces")
        assert_same_run(record, tmp_path / "pieces", expected, tmp_path / "whole")
        assert record.notes == expected.notes
        return record

    return compare


@pytest.mark.parametrize("accumulate", [2, 3, 4, 5, 7])
def test_accumulation_goes_on_across_the_ends_of_epochs(
    accumulate: int, toys: Any, assert_resumes: Any, tmp_path: Path
) -> None:
    # 5 batches an epoch leave every remainder; the plug is pulled in the second and third one.
    cfg = toys.toy_config(tmp_path, accumulate=accumulate)
    assert_resumes(cfg, toys.Watching(step=7), toys.Watching(step=7))


@pytest.mark.parametrize(
    ("optim", "hooks"),
    [
        (dict(clip_grad=0.01, warmup=8), []),
        (dict(accumulate=3, optimizer=dict(type="SGD", lr=0.5, momentum=0.9, weight_decay=0)), []),
        (dict(accumulate=2), [dict(type="EMAHook", momentum=0.3)]),
        (dict(), [dict(type="EMAHook", ema_type="StochasticWeightAverage", begin_epoch=2)]),
    ],
    ids=["clipped, warm-up", "momentum", "average", "late average"],
)
def test_what_else_a_step_hangs_on_is_kept(
    optim: dict[str, Any],
    hooks: list[dict[str, Any]],
    toys: Any,
    assert_resumes: Any,
    tmp_path: Path,
) -> None:
    cfg = toys.toy_config(tmp_path, **optim)
    if hooks:
        cfg.runtime.hooks = hooks
    assert_resumes(cfg, toys.Watching(step=6), toys.Watching(validation=2))


@pytest.mark.parametrize(
    "plugs",
    [[dict(step=16)], [dict(validation=3)], [dict(step=16), dict(validation=1)], [dict(step=3)]],
    ids=str,
)
def test_early_stopping_remembers(
    plugs: list[dict[str, int]], toys: Any, assert_resumes: Any, tmp_path: Path
) -> None:
    cfg = toys.toy_config(tmp_path, epochs=9)
    # Nothing is that much better: the first validation counts as the best, four follow.
    stopping = dict(type="EarlyStoppingHook", monitor="sure", rule="greater", min_delta=9.0)
    cfg.runtime.hooks = [dict(stopping, patience=4)]
    record = assert_resumes(cfg, *(toys.Watching(**plug) for plug in plugs))
    assert (record.epochs, record.epochs_planned, len(record.curve)) == (5, 9, 5)
    assert "stopped early, after 5 of 9 epochs" in record.notes[0]


def test_nothing_is_trained_on_after_the_decision_to_stop(toys: Any, tmp_path: Path) -> None:
    cfg = toys.toy_config(tmp_path, epochs=9)
    cfg.runtime.hooks = [dict(type="EarlyStoppingHook", monitor="sure", rule="greater")]
    cfg.runtime.hooks[0].stopping_threshold = 0.0
    steps = toys.Watching(validation=1)
    with pytest.raises(KeyboardInterrupt):
        train(cfg, tmp_path / "run", progress=steps)
    steps = toys.Watching()
    record = train(cfg, tmp_path / "run", progress=steps)
    assert (record.status, record.epochs, steps.steps) == ("done", 1, 0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="mixed precision wants a GPU")
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_the_loss_scale_is_kept(dtype: str, toys: Any, assert_resumes: Any, tmp_path: Path) -> None:
    cfg = toys.toy_config(tmp_path, amp=dtype, accumulate=3)
    cfg.runtime.device = "cuda"
    record = assert_resumes(cfg, toys.Watching(step=7), toys.Watching(step=7))
    assert record.environment["amp"] == dtype
