"""Writing weights: safetensors to share, pickled state to resume and for the authors' code."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

SAFETENSORS, PICKLED = ".safetensors", (".pth", ".pt")


def save_safetensors(
    state: Mapping[str, Tensor], path: Path, dtype: torch.dtype | None = None
) -> None:
    """Write tensors atomically; floating ones are cast to ``dtype`` where one is given."""
    from safetensors.torch import save_file

    tensors = {}
    for key, value in _detached(state).items():
        tensors[key] = value.to(dtype) if dtype and value.is_floating_point() else value
    with _replacing(path) as partial:
        save_file(tensors, partial)


def save_state(state: Mapping[str, Tensor], path: Path) -> None:
    """Write tensors as they are, atomically: safetensors or a pickled state dict by the suffix.

    Raises:
        ValueError: on another suffix than ``.safetensors``, ``.pth`` and ``.pt``.
    """
    check_suffix(path)
    if path.suffix == SAFETENSORS:
        save_safetensors(state, path)
        return
    with _replacing(path) as partial:
        torch.save(_detached(state), partial)


def save_pickled(state: Mapping[str, object], path: Path) -> None:
    """Write the state of a training as it is, atomically."""
    with _replacing(path) as partial:
        torch.save(state, partial)


def check_suffix(path: Path) -> None:
    """Tell whether :func:`save_state` knows what to write.

    Raises:
        ValueError: where it does not.
    """
    if path.suffix not in (SAFETENSORS, *PICKLED):
        known = ", ".join((SAFETENSORS, *PICKLED))
        raise ValueError(f"cannot tell what to write to '{path}' from its suffix; known: {known}")


def _detached(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors with memory of their own: a file would hold all of what a view looks into."""
    return {key: value.detach().cpu().contiguous().clone() for key, value in state.items()}


@contextmanager
def _replacing(path: Path) -> Iterator[str]:
    """A file to write that takes the place of ``path`` once it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=path.parent, suffix=".partial")
    os.close(handle)
    try:
        yield partial
        os.chmod(partial, 0o644)  # mkstemp's files are private
        os.replace(partial, path)
    finally:
        Path(partial).unlink(missing_ok=True)
