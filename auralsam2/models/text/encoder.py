"""What all text encoders share: freezing, the cache, and what becomes of padding."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from auralsam2.models.cached_encoder import CachedEncoder
from auralsam2.models.feature_cache import FeatureStore


class TokenStates(NamedTuple):
    """What an encoder says about expressions."""

    states: Tensor  # (B, K, D) hidden states, padding included
    mask: Tensor  # (B, K) bool, False at padding


class TextEncoder(CachedEncoder):
    """Expressions to hidden states, a fixed number of tokens each.

    Subclasses build their parts, set ``out_channels`` and call :meth:`freeze` at the end of
    ``__init__``.

    Args:
        frozen: see :class:`CachedEncoder`.
        cache: likewise, by expression.
        mask_padding: set the states of padding tokens to zero. Off, as released: they are handed
            on like words (the paper does not speak of padding). On, :class:`TextAdapter` makes
            one and the same vector of all of them, whatever the expression; the number of tokens
            stays.
    """

    store = FeatureStore()
    budget_mb = 1024
    """25 tokens of width 384 weigh 38 kB: 27,000 expressions, more than Ref-AVS has."""
    out_channels: int  # D

    def __init__(self, frozen: bool = True, cache: bool = True, mask_padding: bool = False) -> None:
        super().__init__(frozen, cache)
        self.mask_padding = mask_padding

    @abstractmethod
    def encode(self, text: list[str]) -> TokenStates:
        """B expressions -> states (B, K, D) and where they are words (B, K)."""

    def forward(self, text: Sequence[str]) -> Tensor:
        """B expressions -> (B, K, D)."""
        states, mask = self._read_frozen(text) if self.frozen else self.encode(list(text))
        return states * mask.unsqueeze(-1) if self.mask_padding else states

    def _read_frozen(self, text: Sequence[str]) -> TokenStates:
        device = next(self.parameters()).device
        read = [self.read_alone(one, device, lambda one=one: self.encode([one])) for one in text]
        return TokenStates(*(torch.cat(parts) for parts in zip(*read, strict=True)))
