"""Memory that runs out ends with what takes less of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config

from auralsam2 import config
from auralsam2.data.synthetic.layout import Plan
from auralsam2.data.synthetic.writer import write_clips
from auralsam2.engine import train as training
from auralsam2.engine.out_of_memory import (
    OutOfMemoryError,
    is_out_of_memory,
    telling_what_takes_less,
    what_takes_less,
)
from auralsam2.registry import load_all


def loaded(name: str = "auralsam2/hiera_tiny_v1m", **overrides: Any) -> Config:
    load_all()
    return config.load(name, {key.replace("__", "."): v for key, v in overrides.items()})


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (type("OutOfMemoryError", (RuntimeError,), {})("CUDA"), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), True),
        (OSError(12, "Cannot allocate memory"), True),
        (RuntimeError("shapes do not fit"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_out_of_memory(error: BaseException, expected: bool) -> None:
    assert is_out_of_memory(error) is expected


def test_switches_stand_in_the_order_of_their_effect() -> None:
    cfg = loaded(data__batch_size=4, optim__accumulate=2, optim__amp=None)
    assert [switch.partition(" (")[0] for switch in what_takes_less(cfg, on_gpu=True)] == [
        "data.batch_size=1 optim.accumulate=8",
        "model.gradient_checkpointing=fuser,tracker,losses",
        "optim.amp=bfloat16",
        "data.image_size=512",
        "a GPU with more memory",
    ]


def test_what_is_on_already_is_not_named() -> None:
    cfg = loaded(
        "auralsam2/mini_v1m",
        data__batch_size=1,
        model__gradient_checkpointing=["tracker", "losses", "fuser"],
    )
    assert list(what_takes_less(cfg, on_gpu=False)) == [
        "model.feature_cache_mb=0",
        "a machine with more memory",
    ]
    sama = loaded("methods/sama_avs_v1m", model__gradient_checkpointing=False)
    assert any("gradient_checkpointing=true" in s for s in what_takes_less(sama, on_gpu=True))
    assert not any("checkpointing" in s for s in what_takes_less(loaded("methods/gavs_v1m"), True))


def test_other_errors_pass() -> None:
    error = ValueError("out of memory")
    with pytest.raises(ValueError) as raised, telling_what_takes_less(loaded(), on_gpu=False):
        raise error
    assert raised.value is error


def test_a_training_tells_it_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_clips(tmp_path / "clips", Plan("v1m", (4, 4, 4), seed=0, num_frames=5))
    cfg = loaded("auralsam2/mini_v1m", data__root=str(tmp_path / "clips"))

    def fails(run: object) -> None:
        torch.empty(2**46)  # 256 TB

    monkeypatch.setattr(training, "_fit", fails)
    with pytest.raises(OutOfMemoryError, match="out of memory \\(.*: what takes less") as raised:
        training.train(cfg, tmp_path / "run")
    assert is_out_of_memory(raised.value)
    said = str(raised.value)
    assert "\n" not in said and "model.gradient_checkpointing=fuser,tracker,losses" in said
