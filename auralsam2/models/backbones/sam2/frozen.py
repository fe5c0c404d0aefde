"""When official modules may be computed otherwise, and what is made of their weights once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.modules import module as torch_modules

Made = TypeVar("Made")

KNOWN = ("torch.nn.", "sam2.", "auralsam2.")
"""Where classes are from whose ``forward`` is what the frozen ways compute."""


def _parts(module: nn.Module) -> Iterator[nn.Module]:
    """As ``modules()``, a part again wherever it stands; every step asks, so that names cost."""
    yield module
    for child in module._modules.values():
        if child is not None:
            yield from _parts(child)


def is_untouched(*modules: nn.Module) -> bool:
    """Whether nothing is trained, in training mode, hooked or replaced in any part of modules.

    Only then does nobody see what happens inside, and what is left is arithmetic. Replaced is also
    a part of a class of somebody else's; hooks are also those of all modules.
    """
    if torch_modules._has_any_global_hook():
        return False
    for module in modules:
        for part in _parts(module):
            if (
                part.training
                or part._forward_hooks
                or part._forward_pre_hooks
                or part._backward_hooks
                or part._backward_pre_hooks
                or "forward" in vars(part)
                or not type(part).__module__.startswith(KNOWN)
            ):
                return False
            for parameter in part._parameters.values():
                if parameter is not None and parameter.requires_grad:
                    return False
    return True


class MadeOfWeights(Generic[Made]):
    """What ``make`` gives for a module, made anew where its weights were loaded, moved or changed.

    Without gradient: for frozen modules.
    """

    def __init__(self, make: Callable[[nn.Module], Made]) -> None:
        self.make = make
        self._weights: list[tuple[Tensor, int, torch.device, torch.dtype]] = []
        self._made: Made | None = None

    def of(self, module: nn.Module) -> Made:
        """Of the module's weights as they are now."""
        weights = [
            (tensor, tensor._version, tensor.device, tensor.dtype)
            for part in _parts(module)
            for tensor in (*part._parameters.values(), *part._buffers.values())
            if tensor is not None
        ]
        same = len(weights) == len(self._weights) and all(
            now[0] is then[0] and now[1:] == then[1:]
            for now, then in zip(weights, self._weights, strict=True)
        )
        if self._made is None or not same:
            # What is kept is the same whoever asks first: a training under autocast, evaluation.
            kind = weights[0][0].device.type
            with (
                torch.inference_mode(False),
                torch.no_grad(),
                torch.autocast(kind, enabled=False),
            ):
                self._made = self.make(module)
            self._weights = weights
        return self._made
