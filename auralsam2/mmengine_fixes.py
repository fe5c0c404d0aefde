"""What mmengine 0.10.7 does otherwise than a run needs: each fix with its reason and its end.

Modules of the engine import this one before anything else of mmengine.
"""

from __future__ import annotations

from logging import FileHandler
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from auralsam2.builder import without_transformers
from auralsam2.registry import HOOKS
from auralsam2.text_files import write_bytes

# Why: mmengine.optim imports transformers, where it is installed, to register one optimizer of
#   it: over half a second in every process, for nothing that is used here.
# Upstream: register_transformers_optimizers in mmengine/optim/optimizer/builder.py.
# Until: optimizers are registered when they are asked for.
with without_transformers():
    import mmengine.optim  # noqa: F401
    from mmengine.fileio import LocalBackend, register_backend
    from mmengine.hooks import Hook
    from mmengine.logging import MessageHub, MMLogger
    from mmengine.logging.history_buffer import HistoryBuffer
    from mmengine.model import is_model_wrapper, revert_sync_batchnorm
    from mmengine.registry import MODEL_WRAPPERS, DefaultScope
    from mmengine.runner import Runner
    from mmengine.visualization import Visualizer

WHOLE_FILES = "whole_files"
"""Name of `WholeFileBackend` in ``backend_args``."""


class WholeFileBackend(LocalBackend):
    """Write beside the target, then rename: a killed run never leaves half a checkpoint.

    Upstream: LocalBackend.put writes into the target itself.
    Until: it replaces files as a whole.
    """

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write bytes."""
        write_bytes(Path(filepath), obj)


register_backend(WHOLE_FILES, WholeFileBackend, force=True)


def allow_resume() -> None:
    """Let ``torch.load(weights_only=True)``, the default since torch 2.6, read training states.

    Upstream: mmengine calls torch.load without ``weights_only`` and keeps its message hub (numpy
    numbers, ``HistoryBuffer``) beside the weights. These types are harmless and admitted by name.
    Until: it stores plain values, or admits its types itself.
    """
    reconstruct = np.core.multiarray if np.__version__ < "2" else np._core.multiarray
    kinds = (type(np.dtype(kind)) for kind in ("f8", "f4", "i8", "i4", "u4", "b1"))
    torch.serialization.add_safe_globals(
        [HistoryBuffer, reconstruct._reconstruct, reconstruct.scalar, np.ndarray, np.dtype, *kinds]
    )


_KEPT_BY_NAME = (MMLogger, MessageHub, Visualizer, DefaultScope)


def make_current(run_name: str) -> None:
    """Make a run's logger, message hub and so on those that mmengine takes for the current ones.

    ``run_name`` is the ``experiment_name`` of its Runner.

    Why: it takes the ones that were built last, and runs of one process may take turns.
    Upstream: ManagerMixin.get_current_instance.
    Until: a Runner hands its own to whoever needs them.
    """
    for kind in _KEPT_BY_NAME:
        if run_name in kind._instance_dict:
            kind._instance_dict.move_to_end(run_name)


def forget(run_name: str) -> None:
    """Close what a run writes to, and let go of what mmengine keeps of it by its name.

    Why: a process that does one run after the other would hold an open log file of every run, and
    stop at the thousandth.
    Upstream: ManagerMixin keeps its instances for as long as the process lives.
    Until: they end with their Runner.
    """
    logger = MMLogger._instance_dict.pop(run_name, None)
    for handler in [] if logger is None else logger.handlers:
        if isinstance(handler, FileHandler):
            handler.close()
    visualizer = Visualizer._instance_dict.pop(run_name, None)
    if visualizer is not None:
        visualizer.close()
    MessageHub._instance_dict.pop(run_name, None)


@HOOKS.register_module()
class PlainCheckpointHook(Hook):
    """Leave log histories out of checkpoints, so that a safe loader can read them.

    Histories only smooth the lines of the log; counters, best scores and all tensors stay.

    Upstream: HistoryBuffer is pickled with references to its own methods, which torch could only
    admit by admitting ``getattr``, that is, everything.
    Until: HistoryBuffer pickles its numbers alone.
    """

    priority = "VERY_LOW"

    def before_save_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Reduce the message hub to plain values."""
        info = checkpoint.get("message_hub", {}).get("runtime_info", {})
        checkpoint["message_hub"] = {
            "log_scalars": {},
            "runtime_info": {key: value for key, value in info.items() if _is_plain(value)},
            "resumed_keys": {},
        }


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):  # of the epochs whose checkpoints are kept
        return all(map(_is_plain, value))
    return isinstance(value, (bool, int, float, str, type(None)))


class DeviceRunner(Runner):
    """A Runner whose model trains on the device that a config states.

    Upstream: Runner.wrap_model and Runner.resume ask mmengine.device.get_device, which takes any
    GPU that is there, and wrap a model for several processes on GPUs alone.
    Until: Runner takes a device.

    Args:
        device: of this process, as `auralsam2.devices.pick_device` gives it.
        **settings: of the Runner.
    """

    def __init__(self, *, device: torch.device, **settings: Any) -> None:
        self.device = device
        super().__init__(**settings)

    def wrap_model(self, model_wrapper_cfg: dict[str, Any] | None, model: nn.Module) -> nn.Module:
        """Move a model to the device, and wrap it where several processes share its batches."""
        if is_model_wrapper(model) or (self.distributed and self.device.type == "cuda"):
            # Theirs is the current GPU, which pick_device has set.
            return super().wrap_model(model_wrapper_cfg, model)
        model = model.to(self.device)
        if not self.distributed:
            return revert_sync_batchnorm(model)
        return MODEL_WRAPPERS.build(model_wrapper_cfg, default_args={"module": model})

    def resume(self, filename: str, *options: Any, map_location: Any = "default") -> None:
        """Resume from a checkpoint, read to the device unless another place is stated."""
        place = str(self.device) if map_location == "default" else map_location
        super().resume(filename, *options, map_location=place)
