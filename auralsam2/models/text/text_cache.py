"""Remember what a frozen text encoder read: its states depend on the expression alone."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import NamedTuple

from torch import Tensor

MEGABYTE = 2**20
BUDGET_MB = 1024


class TokenStates(NamedTuple):
    """What an encoder says about expressions.

    Attributes:
        states: (B, K, D) hidden states, padding included.
        mask: (B, K) bool, False at padding.
    """

    states: Tensor
    mask: Tensor


class TextCache:
    """Token states of expressions on the CPU, up to a budget.

    When the budget is full, new expressions are read and not kept: with shuffled epochs throwing
    old ones out would lose every hit. 25 tokens of width 384 weigh 38 kB, so that the default
    holds 27,000 expressions, more than Ref-AVS has.

    Args:
        budget_mb: megabytes of main memory.
    """

    def __init__(self, budget_mb: float = BUDGET_MB) -> None:
        self.budget = int(budget_mb * MEGABYTE)
        self.used = self.hits = self.misses = 0
        self._kept: dict[Hashable, TokenStates] = {}

    def __call__(self, key: Hashable, read: Callable[[], TokenStates]) -> TokenStates:
        """The states under a key, on the CPU, read only where they were not seen before.

        Args:
            key: identity of the encoder, and the expression.
            read: gives them, without gradient.
        """
        if key in self._kept:
            self.hits += 1
            return self._kept[key]
        self.misses += 1
        fresh = TokenStates(*(part.detach().cpu() for part in read()))
        size = sum(part.numel() * part.element_size() for part in fresh)
        if self.used + size <= self.budget:
            self._kept[key] = TokenStates(*(part.clone() for part in fresh))
            self.used += size
        return fresh


SHARED = TextCache()
"""The cache of this process, for all encoders."""
