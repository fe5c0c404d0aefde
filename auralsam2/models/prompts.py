"""Prompt heads: what the fuser gives to sparse and dense prompts of the mask decoder (3.3)."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from auralsam2.registry import DENSE_PROMPTS, SPARSE_PROMPTS
from auralsam2.shapes import check_shape


class _FusedTokens(nn.Module):
    """The fused tokens themselves, perhaps times a learnable factor."""

    axes: ClassVar[str]
    tokens: ClassVar[str]

    def __init__(self, channels: int, scale_init: float | None = None) -> None:
        super().__init__()
        self.channels = channels
        self.scale = None if scale_init is None else nn.Parameter(torch.tensor(float(scale_init)))

    def forward(self, fused: Tensor) -> Tensor:
        """Prompts of the same shape, whose axes are ``axes``."""
        check_shape(fused, self.axes, name=self.tokens, C=self.channels)
        return fused if self.scale is None else self.scale * fused


@SPARSE_PROMPTS.register_module()
class AudioVectorPrompt(_FusedTokens):
    """The frame's fused audio vector (B, T, C), added to the decoder's tokens alike (published).

    Args:
        channels: C.
        scale_init: ``None`` (published) has no parameter; a number adds a learnable factor that
            starts there.
    """

    axes, tokens = "B T C", "fused audio"


@DENSE_PROMPTS.register_module()
class AudioFeatureMapPrompt(_FusedTokens):
    """The frame's fused visual tokens (B, T, N, C), added to the image embedding (published).

    Args:
        channels: C.
        scale_init: see :class:`AudioVectorPrompt`.
    """

    axes, tokens = "B T N C", "fused visual tokens"
