"""Log-mel examples that come as pickles, read without running what a pickle may ask for."""

from __future__ import annotations

import io
import pickle
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auralsam2.data.audio import EXAMPLE_ROWS, LOG_OFFSET, NUM_MELS
from auralsam2.data.problems import DataError
from auralsam2.file_kinds import instead

LOWEST = float(np.log(LOG_OFFSET))
HIGHEST = 7.0
"""Samples in [-1, 1] stay below 6.1: a mel band sums at most 1.3 times the frame's spectral norm,
and that is bounded by Parseval's theorem for a Hann window of 400 samples."""
SLACK = 1e-3

# numpy 2 renamed numpy.core; pickles of either read under either.
NUMPY_CORE = "numpy._core" if hasattr(np, "_core") else "numpy.core"
ADMITTED = frozenset(
    {
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("numpy.core.numeric", "_frombuffer"),
        ("numpy._core.numeric", "_frombuffer"),
        ("_codecs", "encode"),  # bytes, as old protocols write them
        ("collections", "OrderedDict"),
        ("torch._utils", "_rebuild_tensor"),
        ("torch._utils", "_rebuild_tensor_v2"),
        ("torch.storage", "_load_from_bytes"),
    }
)
"""Module and name of what pickles may ask for: constructors of arrays and tensors."""


def read_log_mel(path: Path, num_frames: int, num_ears: int = 2) -> NDArray[np.float32]:
    """Read the examples of one clip from AVSBench's ``audio_log_mel``.

    Args:
        path: of the pickle: a NumPy array or a torch tensor (T, 1, 96, 64).
        num_frames: T, frames of the clip.
        num_ears: A, all of which get the one channel.

    Returns:
        (T, A, 96, 64), natural logarithm of (mel + 0.01).

    Raises:
        DataError: where the pickle asks for anything but an array or a tensor, or holds something
            else than VGGish's log-mel examples; all problems are listed.
    """
    examples = _as_array(_load(path), path)
    problems = _problems(examples, num_frames)
    if problems:
        raise DataError(
            f"'{path}' does not hold VGGish's log-mel examples: {'; '.join(problems)}. Make them "
            "with the front end of VGGish, or compute them from audio_wav with audio='wav'"
        )
    return np.repeat(examples.astype(np.float32), num_ears, axis=1)


class ForbiddenGlobalError(DataError):
    """A pickle asks for something that is neither an array nor a tensor."""


class ArrayUnpickler(pickle.Unpickler):
    """Admits NumPy arrays and torch tensors and nothing else.

    A pickle is a program. Whatever it names beyond the constructors of arrays and tensors is
    refused before it is imported, so before any of it runs.
    """

    def find_class(self, module: str, name: str) -> Any:
        """Give a pickle one of ``ADMITTED``; an error for everything else."""
        if (module, name) not in ADMITTED:
            raise ForbiddenGlobalError(
                f"it asks for '{module}.{name}', and log-mel pickles may hold NumPy arrays and "
                "torch tensors only; nothing of it was run. A file from the publisher does not "
                "do this: do not open it by other means"
            )
        if name == "_load_from_bytes":
            return _storage_from_bytes
        return getattr(import_module(re.sub(r"numpy\._?core", NUMPY_CORE, module)), name)


def _load(path: Path) -> Any:
    content = path.read_bytes()
    try:
        return ArrayUnpickler(io.BytesIO(content)).load()
    except ForbiddenGlobalError as error:
        raise ForbiddenGlobalError(f"refused the pickle '{path}': {error}") from error
    except Exception as error:  # a damaged pickle fails in any way
        reason = instead(content) or repr(error)
        raise DataError(f"cannot read the pickle '{path}': {reason}") from error


def _as_array(value: Any, path: Path) -> NDArray[Any]:
    detach = getattr(value, "detach", None)
    array = value if detach is None else detach().cpu().numpy()
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
        kind = f"array of {array.dtype}" if isinstance(array, np.ndarray) else type(value).__name__
        raise DataError(f"'{path}' holds a {kind} where an array of numbers belongs")
    return array


def _problems(examples: NDArray[Any], num_frames: int) -> list[str]:
    """How examples differ from what VGGish reads."""
    shape, wanted = examples.shape, (num_frames, 1, EXAMPLE_ROWS, NUM_MELS)
    problems = []
    if shape[1:] == (1, NUM_MELS, EXAMPLE_ROWS):
        problems.append(f"shape {shape}: time and mel bands are swapped, wanted {wanted}")
    elif shape[1:] != wanted[1:]:
        problems.append(f"shape {shape}, wanted {wanted}")
    elif len(examples) != num_frames:
        problems.append(f"{len(examples)} examples for {num_frames} frames")
    if examples.dtype.kind != "f":
        problems.append(f"numbers of type {examples.dtype}, wanted floats: are they quantised?")
    elif examples.size and not np.isfinite(examples).all():
        problems.append("values that are no numbers")
    elif examples.size:
        problems += _range_problems(examples)
    return problems


def _range_problems(examples: NDArray[Any]) -> list[str]:
    low, high = float(examples.min()), float(examples.max())
    shown = f"values from {low:.3g} to {high:.3g}"
    if low < LOWEST - SLACK:
        return [f"{shown}, below ln 0.01 = {LOWEST:.3f}: are they decibels?"]
    if high > HIGHEST:
        return [f"{shown}, above {HIGHEST:g}: were samples not divided by 32768?"]
    # Digital silence sits at the logarithm of the offset in whole rows, and no sound does.
    silent = np.abs(examples - np.log10(LOG_OFFSET)) < 1e-5
    if abs(low - np.log10(LOG_OFFSET)) < 1e-5 and int(silent.sum()) >= NUM_MELS:
        return [f"{shown}, silence at log10 0.01: are they decimal logarithms?"]
    return []


def _storage_from_bytes(content: bytes) -> Any:
    """Stand in for torch's own function, which unpickles without restrictions."""
    import torch

    return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
