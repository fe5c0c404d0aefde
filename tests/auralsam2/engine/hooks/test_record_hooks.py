"""What a training enters in its record: what steps cost and what was skipped."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from auralsam2.data.datasets.guarded import CorruptClip
from auralsam2.engine.hooks.record_hooks import (
    SkippedClipsHook,
    StepCostHook,
    note_skipped,
)
from auralsam2.engine.run_record import RunRecord
from auralsam2.engine.train import train

PAUSE = 0.02
BATCH = {"frames": torch.zeros(2, 5, 3, 8, 8)}
ONE, TWO = CorruptClip("one", "cannot decode 'a.jpg'"), CorruptClip("two", "no 'b.wav'")


def test_waiting_for_data_is_apart_and_one_slow_step_counts_little() -> None:
    record = RunRecord()
    hook, runner = StepCostHook(record), SimpleNamespace(model=nn.Linear(1, 1))
    hook.before_train(runner)
    for seconds in (PAUSE, 10 * PAUSE, PAUSE):
        time.sleep(5 * PAUSE)  # for the batch
        hook.before_train_iter(runner, 0, BATCH)
        time.sleep(seconds)
        hook.after_train_iter(runner, 0, BATCH)
    hook.after_train(runner)
    assert PAUSE <= record.cost["step_seconds"] < 5 * PAUSE
    sizes = {"batch_size": 2, "num_frames": 5, "image_size": 8, "steps": 3}
    assert record.environment["step"] == sizes
    assert list(record.cost) == ["step_seconds"], "no memory of a GPU where there is none"


def test_the_peak_of_a_gpu_outlives_what_a_logger_resets(monkeypatch: pytest.MonkeyPatch) -> None:
    record = RunRecord()
    hook = StepCostHook(record)
    hook.device = torch.device("cuda")
    peaks = iter([300, 700, 500])
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda _: next(peaks))
    monkeypatch.setattr(torch.cuda, "synchronize", lambda _: None)
    for _ in range(3):
        hook.before_train_iter(None, 0, BATCH)
        hook.after_train_iter(None, 0, BATCH)
    hook.after_train(None)
    assert record.cost["step_gpu_bytes"] == 700


def test_a_session_without_steps_enters_nothing() -> None:
    record = RunRecord()
    StepCostHook(record).after_train(None)
    assert record.cost == {} and "step" not in record.environment


def test_a_run_says_what_its_steps_and_parts_cost(toys: Any, tmp_path: Path) -> None:
    record = train(toys.toy_config(tmp_path), tmp_path / "run")
    assert record.cost["step_seconds"] > 0 and record.environment["step"]["steps"] == 3 * 5
    counted = {"total": 4 + 12, "trainable": 4}
    assert record.parameters_by_part == {"other": counted} and record.num_parameters == counted


def test_batches_are_counted_and_cleaned() -> None:
    tally: Counter[CorruptClip] = Counter()
    hook = SkippedClipsHook(tally)
    for skipped in ([ONE], [ONE, TWO]):
        batch = {"frames": 0, "skipped": skipped}
        hook.before_train_iter(None, 0, batch)
        assert batch == {"frames": 0}
    hook.before_train_iter(None, 2, {"frames": 0})
    assert tally == {ONE: 2, TWO: 1}


def test_the_record_names_clip_file_and_count() -> None:
    record = RunRecord()
    note_skipped(record, "train", {ONE: 2, TWO: 1})
    note_skipped(record, "val", {})
    assert record.skipped == {"train": 3}
    assert record.notes == [
        "train: skipped the corrupt clip 'one' 2 times: cannot decode 'a.jpg'",
        "train: skipped the corrupt clip 'two' once: no 'b.wav'",
    ]
