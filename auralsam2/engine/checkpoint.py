"""Reading and writing weights: safetensors to share, pickled state only to resume."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor


def allow_resume() -> None:
    """Let ``torch.load(weights_only=True)`` read mmengine's training state.

    mmengine 0.10 stores its message hub (``HistoryBuffer``, numpy arrays) beside the weights;
    these types are harmless and admitted by name, so ``weights_only`` stays on.
    """
    import numpy as np
    from mmengine.logging.history_buffer import HistoryBuffer

    reconstruct = np.core.multiarray if np.__version__ < "2" else np._core.multiarray
    torch.serialization.add_safe_globals(
        [
            HistoryBuffer,
            reconstruct._reconstruct,
            reconstruct.scalar,
            np.ndarray,
            np.dtype,
            *(type(np.dtype(kind)) for kind in ("f8", "f4", "i8", "i4", "u4", "b1")),
        ]
    )


def save_safetensors(
    state: Mapping[str, Tensor], path: Path, dtype: torch.dtype | None = None
) -> None:
    """Write tensors atomically; floating ones are cast to ``dtype`` where one is given."""
    from safetensors.torch import save_file

    tensors = {}
    for key, value in state.items():
        value = value.detach().cpu().contiguous()
        tensors[key] = value.to(dtype) if dtype and value.is_floating_point() else value.clone()
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=path.parent, suffix=".partial")
    os.close(handle)
    try:
        save_file(tensors, partial)
        os.chmod(partial, 0o644)  # mkstemp's files are private
        os.replace(partial, path)
    finally:
        Path(partial).unlink(missing_ok=True)
