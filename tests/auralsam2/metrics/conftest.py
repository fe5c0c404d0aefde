"""Fixtures of the metric tests."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load
from torch import Tensor

PARITY = Path(__file__).parents[4] / "shared" / "parity"


@pytest.fixture
def load_parity() -> Callable[[str], tuple[dict[str, Any], dict[str, Tensor]]]:
    """Return a function from a fixture's name to its JSON and its tensors in float32."""

    def read(name: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
        path = PARITY / f"{name}.safetensors.gz"
        if not path.is_file():
            pytest.skip(f"numbers of the released code are not at ../shared/parity/{path.name}")
        facts = json.loads((PARITY / f"{name}.json").read_text())
        tensors = load(gzip.decompress(path.read_bytes()))
        return facts, {key: value.to(torch.float32) for key, value in tensors.items()}

    return read
