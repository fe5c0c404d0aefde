"""Fixtures of the metric tests."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load
from torch import Tensor

SHARED = Path(__file__).parents[4] / "shared"
Reader = Callable[[str], tuple[dict[str, Any], dict[str, Tensor]]]


@pytest.fixture
def load_parity() -> Reader:
    """Return a function from a fixture's name to its JSON and its tensors in float32."""
    return partial(_read, "parity")


@pytest.fixture
def load_rivals() -> Reader:
    """The same for numbers of other methods' and of the benchmarks' code."""
    return partial(_read, "rivals")


def _read(folder: str, name: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    path = SHARED / folder / f"{name}.safetensors.gz"
    if not path.is_file():
        pytest.skip(f"numbers of the released code are not at ../shared/{folder}/{path.name}")
    facts = json.loads((path.parent / f"{name}.json").read_text())
    tensors = load(gzip.decompress(path.read_bytes()))
    return facts, {key: value.to(torch.float32) for key, value in tensors.items()}
