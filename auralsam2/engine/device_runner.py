"""mmengine's Runner on the device that a config states, not on any GPU that is there."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.model import is_model_wrapper, revert_sync_batchnorm
from mmengine.registry import MODEL_WRAPPERS
from mmengine.runner import Runner
from torch import nn


class DeviceRunner(Runner):
    """A Runner whose model trains on one device.

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

    def resume(
        self,
        filename: str,
        resume_optimizer: bool = True,
        resume_param_scheduler: bool = True,
        map_location: Any = "default",
    ) -> None:
        """Resume from a checkpoint, read to the device unless another place is stated."""
        place = str(self.device) if map_location == "default" else map_location
        super().resume(filename, resume_optimizer, resume_param_scheduler, place)
