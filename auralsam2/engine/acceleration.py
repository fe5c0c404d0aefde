"""What makes a model faster on a device and leaves what it computes as it is, up to rounding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from auralsam2.messages import warn_once
from auralsam2.models.linear import quicken_linear_layers


def accelerate(model: nn.Module, runtime: Any) -> nn.Module:
    """Lay out and compile parts of a model in place, as ``runtime`` of its config says; the model.

    The model must be on its device, and have made no step; names of its state stay as they are.
    Linear layers, and convolutions of patches side by side, multiply by the library that is faster
    on this processor in any case.
    ``channels_last`` lays the weights of its image encoder out by pixels; ``compile`` lets
    torch.compile take those of its ``parts_to_compile()`` that it can.
    """
    quicken_linear_layers(model)
    network = getattr(getattr(model, "backbone", None), "network", None)
    if runtime.get("channels_last", False) and network is not None:
        network.image_encoder.to(memory_format=torch.channels_last)
    if runtime.get("compile", False):
        for name, part in getattr(model, "parts_to_compile", dict)().items():
            compile_or_not(part, name)
    return model


def compile_or_not(part: nn.Module, name: str) -> None:
    """Compile a module at its first call; where that fails it goes on uncompiled, and says so.

    The ``part`` is compiled in place, so that it keeps its class and the names of its state;
    ``name`` is what the message calls it.
    """
    from torch._dynamo.exc import TorchDynamoException

    # Draws of compiled dropout are otherwise others than uncompiled ones.
    part.compile(options={"fallback_random": True})
    compiled: Callable[..., Any] = part._compiled_call_impl  # type: ignore[assignment]

    def call(*inputs: Any, **options: Any) -> Any:
        try:
            return compiled(*inputs, **options)
        except TorchDynamoException as error:
            part._compiled_call_impl = None
            said = str(error).strip().partition("\n")[0]
            warn_once("auralsam2", f"runtime.compile: {name} goes on uncompiled: {said}")
            return part(*inputs, **options)

    part._compiled_call_impl = call  # type: ignore[assignment]
