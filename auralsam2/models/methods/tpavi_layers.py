"""Layers of AVSBench's baseline: neck and decoder.

Axes: F frames, C channels of the decoder, h and w sides of a stage's map.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

NARROWEST = 8


class DilatedNeck(nn.Module):
    """A stage's map to C channels: the sum of 3x3 convolutions, one a dilation (ASPP).

    AVSBench takes the dilations (3, 6, 12, 18).
    """

    def __init__(self, in_channels: int, channels: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            nn.Conv2d(in_channels, channels, 3, padding=d, dilation=d) for d in dilations
        )

    def forward(self, stage: Tensor) -> Tensor:
        """(F, in_channels, h, w) -> (F, C, h, w)."""
        out: Tensor = sum(conv(stage) for conv in self.convs)  # type: ignore[assignment]
        return out


class ResidualUnit(nn.Module):
    """ReLU, convolution, ReLU, convolution, and the input again (RefineNet, Lin et al. 2017)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(F, C, h, w) -> the same."""
        out: Tensor = x + self.second(F.relu(self.first(F.relu(x))))
        return out


class RefineStep(nn.Module):
    """Add a finer stage to what came from the coarser ones.

    The coarsest, the first step, has nothing to add to, and one unit less.
    """

    def __init__(self, channels: int, coarsest: bool = False) -> None:
        super().__init__()
        self.skip = None if coarsest else ResidualUnit(channels)
        self.out = ResidualUnit(channels)

    def forward(self, stage: Tensor, coarser: Tensor | None = None) -> Tensor:
        """(F, C, h, w) of the stage and (F, C, h', w') so far -> (F, C, h, w)."""
        if self.skip is None or coarser is None:
            return self.out(stage)  # type: ignore[no-any-return]
        return self.out(enlarge(coarser, stage.shape[-1]) + self.skip(stage))  # type: ignore[no-any-return]


class MaskHead(nn.Module):
    """C channels to the logits of one mask, enlarged on the way."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        # 128 and 32 at AVSBench's 256. Of very few channels the ReLU can lose all for good.
        inner = max(NARROWEST, channels // 8)
        self.first = nn.Conv2d(channels, channels // 2, 3, padding=1)
        self.second = nn.Conv2d(channels // 2, inner, 3, padding=1)
        self.last = nn.Conv2d(inner, 1, 1)

    def forward(self, x: Tensor, inner_side: int, side: int) -> Tensor:
        """(F, C, h, h) -> (F, side, side); the first convolution works at ``inner_side``."""
        x = enlarge(self.first(enlarge(x, inner_side)), side)
        out: Tensor = self.last(F.relu(self.second(x)))[:, 0]
        return out


def enlarge(x: Tensor, side: int) -> Tensor:
    """Bilinearly to (F, C, side, side), corners on corners as in AVSBench."""
    if x.shape[-1] == side:
        return x
    return F.interpolate(x, size=(side, side), mode="bilinear", align_corners=True)
