"""Fixtures of the model tests."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load
from torch import Tensor

PARITY = Path(__file__).parents[4] / "shared" / "parity"


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny tensors are slower on many threads; random weights are the same in every run."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield
    torch.set_num_threads(threads)


@pytest.fixture
def read_parity() -> Callable[[str], dict[str, Tensor]]:
    """Return a function from a fixture's name to its tensors, floating ones in float32."""

    def read(name: str) -> dict[str, Tensor]:
        path = PARITY / f"{name}.safetensors.gz"
        if not path.is_file():
            pytest.skip(f"numbers of the released code are not at ../shared/parity/{path.name}")
        tensors = load(gzip.decompress(path.read_bytes()))
        return {k: v.float() if v.is_floating_point() else v for k, v in tensors.items()}

    return read


@pytest.fixture
def read_parity_facts() -> Callable[[str], dict[str, Any]]:
    """Return a function from a fixture's name to its JSON."""

    def read(name: str) -> dict[str, Any]:
        path = PARITY / f"{name}.json"
        if not path.is_file():
            pytest.skip(f"numbers of the released code are not at ../shared/parity/{path.name}")
        facts: dict[str, Any] = json.loads(path.read_text())
        return facts

    return read
