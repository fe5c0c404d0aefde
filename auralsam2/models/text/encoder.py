"""What all text encoders share: freezing, the cache, and what becomes of padding."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from auralsam2.models.feature_cache import FeatureStore, weights_digest
from auralsam2.models.freezing import Freezable

BUDGET_MB = 1024
"""25 tokens of width 384 weigh 38 kB: 27,000 expressions, more than Ref-AVS has."""
SHARED = FeatureStore()
"""Token states of this process, of all encoders."""


class TokenStates(NamedTuple):
    """What an encoder says about expressions."""

    states: Tensor  # (B, K, D) hidden states, padding included
    mask: Tensor  # (B, K) bool, False at padding


class TextEncoder(Freezable, ABC):
    """Expressions to hidden states, a fixed number of tokens each.

    A frozen encoder reads every expression by itself, in float32 and without autocast: its states
    then depend neither on the other clips of a batch nor on whether they came from the cache, and
    an interrupted run continues with the same numbers.

    Subclasses build their parts, set ``out_channels`` and call :meth:`freeze` at the end of
    ``__init__``.

    Args:
        frozen: no gradient, always in eval mode.
        cache: a frozen encoder reads each expression once in a process. Entries are found by the
            weights' digest, :meth:`identity`, device and expression.
        mask_padding: set the states of padding tokens to zero. Off, as released: they are handed
            on like words (the paper does not speak of padding). On, :class:`TextAdapter` makes
            one and the same vector of all of them, whatever the expression; the number of tokens
            stays.
    """

    out_channels: int  # D

    def __init__(self, frozen: bool = True, cache: bool = True, mask_padding: bool = False) -> None:
        super().__init__()
        self.frozen, self.mask_padding = frozen, mask_padding
        self.cache: FeatureStore | None = SHARED if cache and frozen else None
        self._asker = object()
        self._digest: bytes | None = None
        self.register_load_state_dict_post_hook(_forget_digest)

    @abstractmethod
    def encode(self, text: list[str]) -> TokenStates:
        """B expressions -> states (B, K, D) and where they are words (B, K)."""

    @abstractmethod
    def identity(self) -> Hashable:
        """What besides the weights decides about the states: tokenizer, number of tokens."""

    def forward(self, text: Sequence[str]) -> Tensor:
        """B expressions -> (B, K, D)."""
        states, mask = self._read_frozen(text) if self.frozen else self.encode(list(text))
        return states * mask.unsqueeze(-1) if self.mask_padding else states

    def _read_frozen(self, text: Sequence[str]) -> TokenStates:
        device = next(self.parameters()).device
        with torch.no_grad(), torch.autocast(device.type, enabled=False):
            read = [self._read(expression, device) for expression in text]
        return TokenStates(*(torch.cat(parts).to(device) for parts in zip(*read, strict=True)))

    def _read(self, expression: str, device: torch.device) -> TokenStates:
        if self.cache is None:
            return self.encode([expression])
        if self._digest is None:
            self._digest = weights_digest(self)
        key = (type(self), self.identity(), self._digest, device.type, expression)
        kept = self.cache.get(key, self._asker)
        if kept is None:
            kept = tuple(part.detach().cpu() for part in self.encode([expression]))
            self.cache.keep(key, kept, BUDGET_MB, self._asker)
        return TokenStates(*kept)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> TextEncoder:
        self._digest = None  # another precision gives other states
        super()._apply(fn, recurse)
        return self


def _forget_digest(module: nn.Module, _: Any) -> None:
    assert isinstance(module, TextEncoder)
    module._digest = None
