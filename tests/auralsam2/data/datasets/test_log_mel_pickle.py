from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from auralsam2.data.audio import log_mel_examples
from auralsam2.data.datasets.log_mel_pickle import (
    HIGHEST,
    LOWEST,
    ForbiddenGlobalError,
    read_log_mel,
)
from auralsam2.data.problems import DataError

from ..trees import log_mels


class Runs:
    """Unpickling it calls a function."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("kind", ["array", "fortran", "tensor", "trained", "view"])
def test_arrays_and_tensors_of_every_protocol(tmp_path: Path, protocol: int, kind: str) -> None:
    array = log_mels(2)
    value: Any = {
        "array": array,
        "fortran": np.asfortranarray(array),
        "tensor": torch.from_numpy(array),
        # The release's own tensors ask for gradients.
        "trained": torch.from_numpy(array.astype(np.float64)).requires_grad_(),
        "view": torch.from_numpy(np.concatenate([array, array]))[2:],
    }[kind]
    path = tmp_path / "clip.pkl"
    path.write_bytes(pickle.dumps(value, protocol=protocol))
    examples = read_log_mel(path, 2)
    assert examples.dtype == np.float32 and examples.shape == (2, 2, 96, 64)
    assert np.array_equal(examples[:, :1], array) and np.array_equal(examples[:, 1:], array)


def test_pickles_of_either_numpy_are_read(tmp_path: Path) -> None:
    content = pickle.dumps(log_mels(1), protocol=2)
    old, new = b"cnumpy.core.multiarray\n", b"cnumpy._core.multiarray\n"
    assert (old in content) != (new in content)
    for name in (old, new):
        path = tmp_path / "clip.pkl"
        path.write_bytes(content.replace(old, name).replace(new, name))
        assert np.array_equal(read_log_mel(path, 1)[:, :1], log_mels(1))


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda p: Runs(os.mkdir, p), "posix.mkdir|nt.mkdir"),
        (lambda p: Runs(eval, f"__import__('os').mkdir({p!r})"), "builtins.eval"),
        (lambda p: [log_mels(1), Runs(exec, f"import os; os.mkdir({p!r})")], "builtins.exec"),
        (lambda p: Runs(getattr, "a", "upper"), "builtins.getattr"),
        (lambda p: Path(p), r"pathlib"),
    ],
)
def test_everything_else_is_refused_before_it_runs(tmp_path: Path, make: Any, named: str) -> None:
    path, trap = tmp_path / "clip.pkl", tmp_path / "trap"
    path.write_bytes(pickle.dumps(make(str(trap))))
    with pytest.raises(ForbiddenGlobalError, match=rf"asks for '({named})") as caught:
        read_log_mel(path, 1)
    assert str(path) in str(caught.value) and "nothing of it was run" in str(caught.value)
    assert not trap.exists()


def test_a_trap_inside_of_a_tensors_storage_is_refused(tmp_path: Path) -> None:
    # torch's own function would unpickle these bytes without restrictions.
    path, trap = tmp_path / "clip.pkl", tmp_path / "trap"
    inner = pickle.dumps(Runs(os.mkdir, str(trap)), protocol=2)
    outer = Runs(torch.storage._load_from_bytes, inner)
    path.write_bytes(pickle.dumps(outer))
    with pytest.raises(DataError, match="cannot read the pickle"):
        read_log_mel(path, 1)
    assert not trap.exists()


@pytest.mark.parametrize("content", [b"", b"no pickle", pickle.dumps(log_mels(1))[:-200]])
def test_damaged_pickles_are_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "clip.pkl"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"cannot read the pickle '.*clip\.pkl'"):
        read_log_mel(path, 1)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (log_mels(5), r"5 examples for 2 frames"),
        (log_mels(2)[:, 0], r"shape \(2, 96, 64\), wanted \(2, 1, 96, 64\)"),
        (log_mels(2).swapaxes(2, 3), "time and mel bands are swapped"),
        (log_mels(2) * 10, "are they decibels"),
        (log_mels(2) + 10, "not divided by 32768"),
        (np.log10(np.full((2, 1, 96, 64), 0.01)), "decimal logarithms"),
        (np.full((2, 1, 96, 64), np.nan, np.float32), "no numbers"),
        (np.zeros((2, 1, 96, 64), np.uint8), "quantised"),
        (np.array([None]), "array of object"),
        ([1.0, 2.0], "holds a list"),
        (log_mels(3)[:, 0] * 10, r"wanted \(2, 1, 96, 64\); values from"),
    ],
)
def test_other_front_ends_are_told(tmp_path: Path, value: Any, told: str) -> None:
    path = tmp_path / "clip.pkl"
    path.write_bytes(pickle.dumps(value))
    with pytest.raises(DataError, match=told):
        read_log_mel(path, 2)


def test_the_range_admits_every_sound() -> None:
    times = np.arange(16_000) / 16_000
    sounds = [
        np.zeros(16_000),
        np.sign(np.sin(2 * np.pi * 440 * times)),
        np.sign(np.random.default_rng(0).normal(size=16_000)),
        np.sin(2 * np.pi * (200 * times + 2000 * times**2)),
    ]
    for samples in sounds:
        examples = log_mel_examples(samples[:, None], 16_000, 1)
        assert examples.min() > LOWEST - 1e-4 and examples.max() < HIGHEST - 1
