"""Read weight files of any origin safely: tensors alone, never code."""

from __future__ import annotations

import os
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from auralsam2.file_kinds import HEAD, misplaced

CONTAINERS = ("model", "state_dict", "model_state_dict", "model_state", "module", "net", "network")
"""Keys under which training programs save a state dict, the likelier first."""
FILES = ("model.safetensors", "pytorch_model.bin")
"""Weights in a folder of transformers, the likelier first."""


def weight_file(folder: Path) -> Path:
    """The file of weights in a folder of transformers; the folder where they lie in several."""
    return next((folder / f for f in FILES if (folder / f).is_file()), folder)


def read_state(path: str | os.PathLike[str], keep_dtype: bool = False) -> dict[str, Tensor]:
    """Tensors of a safetensors file or of what ``torch.save`` wrote; no code of the file is run.

    Which of the two it is the content tells, not the name.

    Args:
        path: a ``torch.save`` file holds a state dict, or one under keys of ``CONTAINERS``.
        keep_dtype: leave types as they are; off, floats become float32.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where it is damaged or another kind of file, or holds no state dict.
    """
    path = Path(path)
    check_whole(path)
    try:
        loaded = _load(path)
    except (OSError, MemoryError):
        raise
    except Exception as error:  # a damaged file may make a reader stumble anywhere
        raise ValueError(unreadable(path, error)) from error
    state = _contained(loaded)
    if not isinstance(state, Mapping) or not all(
        isinstance(k, str) and isinstance(v, Tensor) for k, v in state.items()
    ):
        raise ValueError(f"'{path}' holds no state dict of tensors{_found(state)}")
    if not state:
        raise ValueError(f"'{path}' holds an empty state dict: no tensor at all")
    return {key: value if keep_dtype else _widened(value) for key, value in state.items()}


def check_whole(path: Path) -> None:
    """Raise a ValueError where the first bytes tell that a file is none of weights."""
    if other := misplaced(path):
        raise ValueError(f"cannot read '{path}' as weights: it is {other}")


def _load(path: Path) -> Any:
    with path.open("rb") as file:
        head = file.read(HEAD)
    if head[8:9] == b"{":
        from safetensors.torch import load_file

        return load_file(path)
    # torch takes a torn archive for a fault of the system.
    if head.startswith(b"PK\x03\x04") and not zipfile.is_zipfile(path):
        raise ValueError("its last part is missing")
    return torch.load(path, map_location="cpu", weights_only=True)


def _contained(loaded: object) -> object:
    """The state dict in what a training program saved around it."""
    while isinstance(loaded, Mapping):
        inner = next((loaded[c] for c in CONTAINERS if isinstance(loaded.get(c), Mapping)), None)
        if inner is None:
            break
        loaded = inner
    return loaded


def _found(state: object) -> str:
    """What there is instead, to go on from."""
    if not isinstance(state, Mapping):
        return f", but a {type(state).__name__}"
    strange = [f"{k!r}: {type(v).__name__}" for k, v in state.items() if not isinstance(v, Tensor)]
    more = ", ..." if len(strange) > 3 else ""
    return f"; it has {', '.join(strange[:3])}{more}" if strange else ""


def _widened(value: Tensor) -> Tensor:
    return value.float() if value.is_floating_point() else value


def unreadable(path: Path, error: Exception) -> str:
    """Say why a reader has failed, without its advice to run the code of the file."""
    # torch's own words begin with the advice to load the file all the same.
    reason = str(error).rpartition("WeightsUnpickler error:")[2].strip()
    first = next(iter(reason.splitlines()), "")
    if isinstance(error, pickle.UnpicklingError) and first.startswith("Unsupported global"):
        return (
            f"cannot read '{path}' as weights: it holds more than tensors in plain containers and "
            f"could run code if it were loaded ({first.split(' was not')[0]}); where you trust the "
            "file, save its state dict alone"
        )
    if "TorchScript" in first:
        return (
            f"cannot read '{path}' as weights: it is a TorchScript archive, a program; save the "
            "state dict of the network that it holds"
        )
    if not first or "weights_only" in first or isinstance(error, LookupError):
        first = type(error).__name__  # a KeyError's text is the byte that it stumbled over
    return f"cannot read '{path}' as weights (damaged, cut short or another kind of file): {first}"
