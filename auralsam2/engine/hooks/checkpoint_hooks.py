"""What a checkpoint holds: all that training changes, and nothing that is read from elsewhere."""

from __future__ import annotations

from typing import Any

import torch
from mmengine import dist
from mmengine.hooks import Hook
from torch import Tensor, nn

from auralsam2.engine.distributed import unwrapped

_AVERAGED = "module."


def trainable_state(model: nn.Module) -> dict[str, Tensor]:
    """The state dict without parameters that require no gradient; buffers stay."""
    frozen = {name for name, p in model.named_parameters() if not p.requires_grad}
    return {key: value for key, value in model.state_dict().items() if key not in frozen}


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


class GradientSumHook(Hook):
    """Keep the sum of an unfinished accumulation, so that a resumed run goes on with it.

    With ``optim.accumulate`` steps are taken every so many batches, across the ends of epochs.
    Where the batches of an epoch are no multiple of that, a checkpoint falls between two steps.
    """

    def after_train_epoch(self, runner: Any) -> None:
        """Share what the processes have summed up, each alone: one of them writes the checkpoint.

        The mean of means is the mean: the next step is the same, up to rounding.
        """
        if not dist.is_distributed():
            return
        parameters = [p for p in runner.model.parameters() if p.requires_grad]
        device = parameters[0].device
        summed = torch.tensor([float(p.grad is not None) for p in parameters], device=device)
        dist.all_reduce(summed, "max")
        for parameter, is_any in zip(parameters, summed.tolist(), strict=True):
            if is_any:
                if parameter.grad is None:
                    parameter.grad = torch.zeros_like(parameter)
                dist.all_reduce(parameter.grad, "mean")

    def before_save_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Add ``gradients`` to a checkpoint to resume from; a step leaves none behind."""
        sums = {name: p.grad for name, p in _named(runner.model) if p.grad is not None}
        if sums and "optimizer" in checkpoint:
            checkpoint["gradients"] = {name: grad.cpu() for name, grad in sums.items()}

    def after_load_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Put the sums back where they were."""
        held: dict[str, Tensor] = checkpoint.get("gradients", {})
        for name, parameter in _named(runner.model):
            if name in held:
                parameter.grad = held[name].to(parameter)


def _named(model: nn.Module) -> list[tuple[str, nn.Parameter]]:
    return [(name, p) for name, p in model.named_parameters() if p.requires_grad]
