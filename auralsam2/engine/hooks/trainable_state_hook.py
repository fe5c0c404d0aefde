"""Keep frozen weights out of checkpoints: they are read again from their own file."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook
from torch import Tensor, nn

from auralsam2.engine.distributed import unwrapped
from auralsam2.registry import HOOKS

_AVERAGED = "module."


def trainable_state(model: nn.Module) -> dict[str, Tensor]:
    """The state dict without parameters that require no gradient; buffers stay."""
    frozen = {name for name, p in model.named_parameters() if not p.requires_grad}
    return {key: value for key, value in model.state_dict().items() if key not in frozen}


@HOOKS.register_module()
class TrainableStateHook(Hook):
    """A checkpoint of a large frozen SAM2 otherwise weighs 900 MB an epoch."""

    priority = "VERY_LOW"

    def before_save_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Reduce ``state_dict`` to what training changes."""
        keys = trainable_state(unwrapped(runner.model))
        state = checkpoint["state_dict"]
        checkpoint["state_dict"] = {key: value for key, value in state.items() if key in keys}
        if (averaged := checkpoint.get("ema_state_dict")) is not None:
            # EMAHook exchanges what both hold when it resumes; "steps" is its own.
            checkpoint["ema_state_dict"] = {
                key: value
                for key, value in averaged.items()
                if not key.startswith(_AVERAGED) or key.removeprefix(_AVERAGED) in keys
            }
