"""Remember what frozen networks gave: it depends on their input alone."""

from __future__ import annotations

import hashlib
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from auralsam2.structures import VisualPyramid

Answer = TypeVar("Answer")
MEGABYTE = 2**20


class FeatureStore:
    """Tensors in main memory, under one budget for all askers that keep theirs here.

    Where the budget is full, what others asked for last makes room, the least recently asked
    first. An asker's own never makes room for its new ones: with shuffled epochs that would lose
    every hit.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, tuple[object, tuple[Tensor, ...]]] = OrderedDict()
        self._used: Counter[object] = Counter()

    @property
    def used(self) -> int:
        """Bytes that are held."""
        return self._used.total()

    def get(self, key: Hashable, asker: object) -> tuple[Tensor, ...] | None:
        """What is kept under a key, which is the asker's from now on; ``None`` where nothing is."""
        tensors = self._drop(key) if key in self._kept else None
        if tensors is not None:
            self._add(key, tensors, asker)
        return tensors

    def keep(
        self, key: Hashable, tensors: Sequence[Tensor], budget_mb: float, asker: object
    ) -> None:
        """Keep copies under a new key, unless the asker has filled the budget itself.

        From now on all askers together hold at most ``budget_mb`` megabytes.
        """
        budget, size = int(budget_mb * MEGABYTE), _num_bytes(tensors)
        if self._used[asker] + size > budget or key in self._kept:
            return
        if self.used + size > budget:
            for other in [k for k, (whose, _) in self._kept.items() if whose is not asker]:
                self._drop(other)
                if self.used + size <= budget:
                    break
        self._add(key, tuple(tensor.detach().cpu().clone() for tensor in tensors), asker)

    def _add(self, key: Hashable, tensors: tuple[Tensor, ...], asker: object) -> None:
        self._kept[key] = asker, tensors
        self._used[asker] += _num_bytes(tensors)

    def _drop(self, key: Hashable) -> tuple[Tensor, ...]:
        whose, tensors = self._kept.pop(key)
        self._used[whose] -= _num_bytes(tensors)
        if not self._used[whose]:
            del self._used[whose]
        return tensors


BACKBONES = FeatureStore()
"""Pyramids of this process: the runs of a grid that follow one another in it mostly differ behind
the backbone, and encode each clip once between them."""


def _num_bytes(tensors: Sequence[Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def weights_digest(module: nn.Module) -> bytes:
    """Digest of the names and bytes of all parameters and buffers."""
    digest = hashlib.blake2b()
    for name, value in module.state_dict().items():
        digest.update(name.encode())
        digest.update(value.detach().cpu().flatten().view(torch.uint8).numpy().tobytes())
    return digest.digest()


def _precision(device: torch.device) -> str:
    """Device and type that autocast has at the moment, in words."""
    if not torch.is_autocast_enabled(device.type):
        return device.type
    return f"{device.type} {torch.get_autocast_dtype(device.type)}"


class FeatureCache:
    """Pyramids of clips by the content of their frames.

    Keys are hashes of the pixels and of the device and precision they are encoded in, so neither
    augmented frames nor another run of this process can meet a stale entry; augmented ones only
    never hit.

    Args:
        budget_mb: megabytes of main memory, see :meth:`FeatureStore.keep`.
        store: that other caches share; default: one of its own.
        backbone: digest of the weights that the pyramids come from.
    """

    def __init__(
        self, budget_mb: float, store: FeatureStore | None = None, backbone: bytes = b""
    ) -> None:
        self.budget_mb, self.backbone = budget_mb, backbone
        self.store = FeatureStore() if store is None else store
        self._asker = object()
        self.hits = self.misses = 0

    def __call__(self, frames: Tensor, compute: Callable[[Tensor], VisualPyramid]) -> VisualPyramid:
        """The pyramid of (B, T, 3, S, S) uint8, computed for clips alone that were not seen before.

        ``compute`` takes some of the clips to their pyramid, without gradient.
        """
        how = _precision(frames.device).encode()
        keys = [
            hashlib.blake2b(how + str(tuple(clip.shape)).encode() + clip.numpy().tobytes()).digest()
            for clip in frames.cpu()
        ]
        clips = [self.store.get((self.backbone, key), self._asker) for key in keys]
        new = [i for i, maps in enumerate(clips) if maps is None]
        self.hits, self.misses = self.hits + len(keys) - len(new), self.misses + len(new)
        if new:
            levels = compute(frames[new]).levels
            for n, i in enumerate(new):
                clips[i] = maps = tuple(level[n] for level in levels)
                self.store.keep((self.backbone, keys[i]), maps, self.budget_mb, self._asker)
        by_level = zip(*(maps for maps in clips if maps is not None), strict=True)
        return VisualPyramid(
            tuple(torch.stack([m.to(frames.device) for m in maps]) for maps in by_level)
        )


class LastAnswer:
    """What was computed of the batch that was seen last; as many bytes as that has.

    For a clip that is shown several times in a row, under several sounds or to several models with
    one frozen encoder; called as :class:`FeatureCache` is.
    """

    def __init__(self) -> None:
        self._last: tuple[str, Tensor, Any] | None = None

    def __call__(self, frames: Tensor, compute: Callable[[Tensor], Answer]) -> Answer:
        """The answer to a batch, computed unless frames and precision equal the last ones."""
        how, last = _precision(frames.device), self._last
        if last is None or last[0] != how or not torch.equal(last[1], frames):
            self._last = last = None  # frees the old answer before the new one is made
            self._last = last = how, frames, compute(frames)
        answer: Answer = last[2]
        return answer
