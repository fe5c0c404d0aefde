"""Frozen encoders that read each input once in a process."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from auralsam2.models.feature_cache import FeatureStore, weights_digest
from auralsam2.models.freezing import Freezable, Self


class CachedEncoder(Freezable, ABC):
    """What frozen encoders of text and of sound share.

    A frozen one reads every input by itself, in float32 and without autocast: what it says then
    depends neither on the other clips of a batch nor on whether it came from the cache, and an
    interrupted run continues with the same numbers.

    Args:
        frozen: no gradient, always in eval mode.
        cache: a frozen encoder reads each input once in a process. Entries are found by the
            weights' digest, :meth:`identity`, device and input.
        **shared: of the next class.
    """

    store: ClassVar[FeatureStore]  # of all encoders of a kind in this process
    budget_mb: ClassVar[int]

    def __init__(self, frozen: bool = True, cache: bool = True, **shared: Any) -> None:
        super().__init__(**shared)
        self.frozen = frozen
        self.cache: FeatureStore | None = self.store if cache and frozen else None
        self._asker = object()
        self._digest: bytes | None = None
        self.register_load_state_dict_post_hook(_forget_digest)

    @abstractmethod
    def identity(self) -> Hashable:
        """What besides weights and input decides about what is said."""

    def read_alone(
        self, content: Hashable, device: torch.device, encode: Callable[[], Sequence[Tensor]]
    ) -> tuple[Tensor, ...]:
        """What a frozen encoder says of one input, on the device.

        Args:
            content: of the input, by which it is found again.
            device: of the weights.
            encode: reads the input.
        """
        with torch.no_grad(), torch.autocast(device.type, enabled=False):
            if self.cache is None:
                return tuple(encode())
            if self._digest is None:
                self._digest = weights_digest(self)
            key = (type(self), self.identity(), self._digest, device.type, content)
            kept = self.cache.get(key, self._asker)
            if kept is None:
                kept = tuple(part.detach().cpu() for part in encode())
                self.cache.keep(key, kept, self.budget_mb, self._asker)
        return tuple(part.to(device) for part in kept)

    def _apply(self: Self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        self._digest = None  # another precision gives other numbers
        super()._apply(fn, recurse)
        return self


def _forget_digest(module: nn.Module, _: Any) -> None:
    assert isinstance(module, CachedEncoder)
    module._digest = None
