"""Dense prompts: maps added to the image embedding that the mask decoder reads."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from auralsam2.registry import DENSE_PROMPTS
from auralsam2.shapes import check_shape


@DENSE_PROMPTS.register_module()
class AudioFeatureMapPrompt(nn.Module):
    """The frame's fused visual tokens themselves (published).

    Args:
        channels: C.
        scale_init: ``None`` (published) has no parameter; a number adds a learnable factor that
            starts there.
    """

    def __init__(self, channels: int, scale_init: float | None = None) -> None:
        super().__init__()
        self.channels = channels
        self.scale = None if scale_init is None else nn.Parameter(torch.tensor(float(scale_init)))

    def forward(self, visual_residual: Tensor) -> Tensor:
        """(B, T, N, C) -> (B, T, N, C)."""
        check_shape(visual_residual, "B T N C", name="visual residual", C=self.channels)
        return visual_residual if self.scale is None else self.scale * visual_residual
