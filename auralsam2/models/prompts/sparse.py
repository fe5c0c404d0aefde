"""Sparse prompts: vectors added to the mask decoder's output tokens."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from auralsam2.registry import SPARSE_PROMPTS
from auralsam2.shapes import check_shape


@SPARSE_PROMPTS.register_module()
class AudioVectorPrompt(nn.Module):
    """The frame's fused audio vector itself, the same for every token (published).

    Args:
        channels: C.
        scale_init: ``None`` (published) has no parameter; a number adds a learnable factor that
            starts there.
    """

    def __init__(self, channels: int, scale_init: float | None = None) -> None:
        super().__init__()
        self.channels = channels
        self.scale = None if scale_init is None else nn.Parameter(torch.tensor(float(scale_init)))

    def forward(self, audio_residual: Tensor) -> Tensor:
        """(B, T, C) -> (B, T, C)."""
        check_shape(audio_residual, "B T C", name="audio residual", C=self.channels)
        return audio_residual if self.scale is None else self.scale * audio_residual
