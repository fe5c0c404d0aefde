"""Adapters that let a frozen image encoder hear, attached to the official blocks by hooks.

Axes: F frames, H and W sides of a block's token map, C its width, D width of the audio.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

STAGES = (1, 2, 3, 4)


class AudioAdapters(nn.Module):
    """One adapter in front of every block of the chosen stages of a Hiera trunk.

    Block j reads ``x_j + W_up GELU(W_down a)``: the frame's sound, mapped to the width of the
    block's tokens, the same at every position (SAMA-AVS, section 3). ``W_up`` starts at zero, so
    that training begins at the encoder as it is. Outside of :meth:`hearing` the trunk is
    untouched.

    Args:
        trunk: of the image encoder, with ``blocks`` and ``stage_ends``.
        audio_channels: D.
        stages: which stages get adapters, 1 the finest.
        hidden_channels: width between the two layers of an adapter.

    Raises:
        ValueError: on an unknown stage or no stage at all.
    """

    def __init__(
        self,
        trunk: nn.Module,
        audio_channels: int,
        stages: Sequence[int] = STAGES,
        hidden_channels: int = 32,
    ) -> None:
        super().__init__()
        self.adapters = nn.ModuleDict()
        self._audio: Tensor | None = None
        for index, block in _blocks_of(trunk, stages):
            self.adapters[str(index)] = _adapter(audio_channels, hidden_channels, block.dim)
            block.register_forward_pre_hook(self._hook(str(index)))

    @contextmanager
    def hearing(self, audio: Tensor) -> Iterator[None]:
        """Let the trunk hear ``audio`` (F, D) in every forward of F frames inside the context."""
        self._audio = audio
        try:
            yield
        finally:
            self._audio = None

    def _hook(self, index: str) -> Any:
        def add_sound(block: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
            if self._audio is None:
                return None
            tokens, *rest = inputs  # (F, H, W, C)
            return (tokens + self.adapters[index](self._audio)[:, None, None], *rest)

        return add_sound


def _blocks_of(trunk: nn.Module, stages: Sequence[int]) -> list[tuple[int, Any]]:
    blocks = list(trunk.blocks)
    ends = list(trunk.stage_ends)
    starts = [0, *(end + 1 for end in ends)]
    return [
        (index, blocks[index])
        for stage in stages
        for index in range(starts[stage - 1], ends[stage - 1] + 1)
    ]


def _adapter(audio_channels: int, hidden_channels: int, channels: int) -> nn.Sequential:
    up = nn.Linear(hidden_channels, channels)
    nn.init.zeros_(up.weight)
    nn.init.zeros_(up.bias)
    return nn.Sequential(nn.Linear(audio_channels, hidden_channels), nn.GELU(), up)
