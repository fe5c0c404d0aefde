"""Released state dicts: small ones by the table, full-size and trained ones from the fixtures."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import load
from torch import Tensor

from auralsam2.engine.conversion.legacy import same_bits
from auralsam2.engine.conversion.names import RELEASED_WIDTHS, Structure, entries, resolve

PARITY = Path(__file__).parents[5] / "shared" / "parity"
SMALL = RELEASED_WIDTHS | dict(C=8, H=12, R=2, I=4, D=6, W=10, X=14)
DTYPES = (torch.float32, torch.float16, torch.bfloat16, torch.float64)


def values(key: str, shape: tuple[int, ...], number: int) -> Tensor:
    """Values that differ between tensors and along the last axis; memory of that axis alone."""
    if key.endswith("num_batches_tracked"):
        return torch.tensor(1000 + number)
    row = (torch.arange(shape[-1]) + 10 * number).to(DTYPES[number % len(DTYPES)])
    return row.expand(shape)


@pytest.fixture
def small_state() -> Callable[..., dict[str, Tensor]]:
    """Return a function that makes the authors' state dict of a narrow and shallow fuser."""

    def make(variant: str = "avs", vggish: bool = False) -> dict[str, Tensor]:
        table = entries(Structure(variant, (1, 0, 2), (1, 1, 1), vggish))
        return {
            entry.authors: values(entry.authors, resolve(entry.shape, SMALL), number)
            for number, entry in enumerate(table)
        }

    return make


@pytest.fixture
def key_list() -> Callable[[str], dict[str, tuple[int, ...]]]:
    """Return a function from a variant to the names and shapes of its full-size fuser."""

    def read(variant: str) -> dict[str, tuple[int, ...]]:
        path = PARITY / "checkpoint_keys.json"
        if not path.is_file():
            pytest.skip(f"key lists of the released code are not at ../shared/parity/{path.name}")
        lists = json.loads(path.read_text())[{"avs": "avs", "ref": "ref_avs"}[variant]]
        return {key: tuple(shape) for key, shape in lists["keys"].items()}

    return read


@pytest.fixture
def full_state(
    key_list: Callable[[str], dict[str, tuple[int, ...]]],
) -> Callable[[str], dict[str, Tensor]]:
    """Return a function from a variant to tensors of the full sizes."""

    def make(variant: str) -> dict[str, Tensor]:
        shapes = key_list(variant)
        return {key: values(key, shape, i) for i, (key, shape) in enumerate(shapes.items())}

    return make


@pytest.fixture
def fixture_state() -> Callable[[str], dict[str, Tensor]]:
    """Return a function from a variant to the fixtures' weights, types as stored."""

    def read(name: str) -> dict[str, Tensor]:
        path = PARITY / f"{name}.safetensors.gz"
        if not path.is_file():
            pytest.skip(f"weights of the released code are not at ../shared/parity/{path.name}")
        return load(gzip.decompress(path.read_bytes()))

    def make(variant: str) -> dict[str, Tensor]:
        state = read("fuser_weights")
        if variant == "ref":
            for key in json.loads((PARITY / "fuser_ref.json").read_text())["removed_keys"]:
                del state[key]
            state |= read("fuser_ref_weights_delta")
        return state

    return make


@pytest.fixture
def assert_same() -> Callable[[Mapping[str, Tensor], Mapping[str, Tensor]], None]:
    """Return a function that compares names, types, shapes and bits."""

    def compare(got: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
        assert got.keys() == expected.keys()
        assert [key for key, tensor in expected.items() if not same_bits(got[key], tensor)] == []

    return compare
