"""Weights that come with the package, and reading weight files of any origin safely."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from auralsam2.weight_files import BUILTIN


def locate(path: str | os.PathLike[str]) -> Path:
    """The file behind a path or ``builtin://NAME``."""
    text = os.fspath(path)
    if text.startswith(BUILTIN):
        return Path(str(resources.files(__name__) / f"{text[len(BUILTIN) :]}.safetensors"))
    return Path(text).expanduser()


def builtin_names() -> list[str]:
    """What ``builtin://`` knows."""
    files = resources.files(__name__).iterdir()
    return sorted(f.name.removesuffix(".safetensors") for f in files if ".safetensors" in f.name)


def read_state(path: Path, keep_dtype: bool = False) -> dict[str, Tensor]:
    """Tensors of a safetensors file or of a ``.pt``; no code of the file is run.

    Args:
        path: a ``.pt`` holds a state dict, or one under ``model`` or ``state_dict``.
        keep_dtype: leave types as they are; off, half precision is widened to float32 (in
            safetensors, where small files are kept so).

    Raises:
        ValueError: where the file is damaged or holds no state dict.
    """
    loaded: Any
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            loaded = load_file(path)
            return loaded if keep_dtype else {k: _widened(v) for k, v in loaded.items()}
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, OSError) as error:
        raise ValueError(_damaged(path, error)) from error
    except Exception as error:
        # safetensors raises a class of its own that derives from Exception alone.
        if type(error).__name__ != "SafetensorError":
            raise
        raise ValueError(_damaged(path, error)) from error
    state = _unwrapped(loaded)
    if not isinstance(state, Mapping) or not all(
        isinstance(k, str) and isinstance(v, Tensor) for k, v in state.items()
    ):
        raise ValueError(f"'{path}' holds no state dict of tensors")
    return dict(state)


def _unwrapped(loaded: object) -> object:
    """The state dict in what a training program saved around it."""
    if isinstance(loaded, Mapping):
        for wrapper in ("model", "state_dict"):
            if isinstance(loaded.get(wrapper), Mapping):
                return loaded[wrapper]
    return loaded


def _widened(value: Tensor) -> Tensor:
    return value.float() if value.is_floating_point() else value


def _damaged(path: Path, error: Exception) -> str:
    # torch's own words begin with the advice to load the file all the same.
    reason = str(error).rpartition("WeightsUnpickler error:")[2].strip()
    first = next(iter(reason.splitlines()), type(error).__name__)
    if isinstance(error, pickle.UnpicklingError) and first.startswith("Unsupported global"):
        return (
            f"cannot read '{path}' as weights: it holds more than tensors in plain containers and "
            f"could run code if it were loaded ({first.split(' was not')[0]}); where you trust the "
            "file, save its state dict alone"
        )
    return f"cannot read '{path}' as weights (damaged, cut short or another kind of file): {first}"
