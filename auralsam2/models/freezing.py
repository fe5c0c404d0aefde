"""Components whose weights are trained, or stay as they were loaded."""

from __future__ import annotations

from typing import TypeVar

from torch import nn

Self = TypeVar("Self", bound="Freezable")


class Freezable(nn.Module):
    """A component that may be frozen: no gradient, always in eval mode.

    Subclasses set ``frozen``, build their parts and call :meth:`freeze` at the end of
    ``__init__``.
    """

    frozen = False

    def freeze(self) -> None:
        """Take gradients from, or give them to, all parameters, as ``frozen`` says."""
        self.requires_grad_(not self.frozen)
        self.train(self.training)

    def train(self: Self, mode: bool = True) -> Self:
        """Switch the mode; a frozen component stays in eval mode."""
        return super().train(mode and not self.frozen)
