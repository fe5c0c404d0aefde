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


def read_state(path: Path) -> dict[str, Tensor]:
    """Tensors of a safetensors file or of a ``.pt`` (a state dict, or ``{"model": state}``).

    Half precision is widened to float32. No code of the file is run.

    Raises:
        ValueError: where the file is damaged or holds no state dict.
    """
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return {key: _widened(value) for key, value in load_file(path).items()}
        loaded: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, OSError) as error:
        raise ValueError(_damaged(path, error)) from error
    except Exception as error:
        # safetensors raises a class of its own that derives from Exception alone.
        if type(error).__name__ != "SafetensorError":
            raise
        raise ValueError(_damaged(path, error)) from error
    state = loaded.get("model", loaded) if isinstance(loaded, Mapping) else None
    if not isinstance(state, Mapping) or not all(isinstance(v, Tensor) for v in state.values()):
        raise ValueError(f"'{path}' holds no state dict of tensors")
    return dict(state)


def _widened(value: Tensor) -> Tensor:
    return value.float() if value.is_floating_point() else value


def _damaged(path: Path, error: Exception) -> str:
    first = next(iter(str(error).splitlines()), type(error).__name__)
    return f"cannot read '{path}' as weights (damaged, cut short or another kind of file): {first}"
