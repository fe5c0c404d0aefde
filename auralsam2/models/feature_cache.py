"""Remember what a frozen backbone saw: its maps depend on the pixels alone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import torch
from torch import Tensor, nn

from auralsam2.structures import VisualPyramid

MEGABYTE = 2**20


_SHARED: dict[tuple[bytes, int], FeatureCache] = {}


def shared_cache(backbone: nn.Module, budget_mb: int) -> FeatureCache:
    """The cache of this process for backbones with exactly these weights.

    The runs of a grid that follow one another in a process mostly differ behind the backbone;
    they then encode each clip once between them.
    """
    return _SHARED.setdefault((weights_digest(backbone), budget_mb), FeatureCache(budget_mb))


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
    """Pyramids of clips by the content of their frames, up to a budget.

    Keys are hashes of the pixels and of the device and precision they are encoded in, so neither
    augmented frames nor another run of this process can meet a stale entry; augmented ones only
    never hit. When the budget is full, new clips are computed and not kept: with shuffled epochs
    throwing old ones out would lose every hit.

    Args:
        budget_mb: megabytes of main memory for feature maps.
    """

    def __init__(self, budget_mb: int) -> None:
        self.budget = budget_mb * MEGABYTE
        self.used = self.hits = self.misses = 0
        self._maps: dict[bytes, tuple[Tensor, ...]] = {}

    def __call__(self, frames: Tensor, compute: Callable[[Tensor], VisualPyramid]) -> VisualPyramid:
        """The pyramid of a batch, computed only for clips that were not seen before.

        Args:
            frames: (B, T, 3, S, S) uint8.
            compute: frames of some of the clips -> their pyramid, without gradient.
        """
        how = _precision(frames.device).encode()
        keys = [
            hashlib.blake2b(how + str(tuple(clip.shape)).encode() + clip.numpy().tobytes()).digest()
            for clip in frames.cpu()
        ]
        new = [i for i, key in enumerate(keys) if key not in self._maps]
        self.hits, self.misses = self.hits + len(keys) - len(new), self.misses + len(new)
        fresh: dict[int, tuple[Tensor, ...]] = {}
        if new:
            levels = compute(frames[new]).levels
            fresh = {i: tuple(level[n] for level in levels) for n, i in enumerate(new)}
        clips = [fresh[i] if i in fresh else self._maps[keys[i]] for i in range(len(keys))]
        for i, maps in fresh.items():
            self._keep(keys[i], maps)
        device = frames.device
        stacked = tuple(
            torch.stack([maps[level].to(device) for maps in clips])
            for level in range(len(clips[0]))
        )
        return VisualPyramid(stacked)

    def _keep(self, key: bytes, maps: tuple[Tensor, ...]) -> None:
        size = sum(m.numel() * m.element_size() for m in maps)
        if key not in self._maps and self.used + size <= self.budget:
            self._maps[key] = tuple(m.detach().cpu().clone() for m in maps)
            self.used += size


class LastPyramid:
    """The pyramid of the batch that was seen last; as many bytes as that batch has.

    For a clip that is shown several times in a row, under several sounds; called as
    :class:`FeatureCache` is.
    """

    def __init__(self) -> None:
        self._last: tuple[Tensor, VisualPyramid] | None = None

    def __call__(self, frames: Tensor, compute: Callable[[Tensor], VisualPyramid]) -> VisualPyramid:
        """The pyramid of a batch, computed unless its frames equal the last ones."""
        if self._last is None or not torch.equal(self._last[0], frames):
            self._last = None  # frees the old maps before the new ones are made
            self._last = (frames, compute(frames))
        return self._last[1]
