"""Layers of AVSBench's baseline: neck, sound in a stage, decoder.

Axes: F frames, C channels of the decoder, h and w sides of a stage's map.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from auralsam2 import registry
from auralsam2.models.methods.base import Node

NECK_STD = 0.01
"""Of the neck's weights at the start, as AVSBench's code has it."""


class DilatedNeck(nn.Module):
    """A stage's map to C channels: the sum of 3x3 convolutions, one a dilation (ASPP).

    AVSBench takes the dilations (3, 6, 12, 18).
    """

    def __init__(self, in_channels: int, channels: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            nn.Conv2d(in_channels, channels, 3, padding=d, dilation=d) for d in dilations
        )
        for conv in self.convs:
            nn.init.normal_(conv.weight, std=NECK_STD)  # type: ignore[arg-type]

    def forward(self, stage: Tensor) -> Tensor:
        """(F, in_channels, h, w) -> (F, C, h, w)."""
        out: Tensor = sum(conv(stage) for conv in self.convs)  # type: ignore[assignment]
        return out


class StageFusion(nn.Module):
    """The sound of a clip brought to the width of a stage, and fused with its maps.

    Args:
        heard: D, channels of the audio vectors.
        channels: C.
        fusion: node of ``FUSIONS``.
        align_bias: whether the linear layer from D to C has a bias.
        num_frames: cut clips into pieces of so many frames that do not see each other; ``None``
            fuses whole clips.
    """

    def __init__(
        self,
        heard: int,
        channels: int,
        fusion: Node,
        align_bias: bool = True,
        num_frames: int | None = None,
    ) -> None:
        super().__init__()
        self.align = nn.Linear(heard, channels, bias=align_bias)
        self.block = registry.FUSIONS.build(fusion, channels=channels)
        self.num_frames = num_frames

    def forward(self, stage: Tensor, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """(B T, C, h, w) and (B, T, D) -> (B T, C, h, w) and the aligned audio (B T, C).

        Raises:
            ValueError: where T is no multiple of ``num_frames``.
        """
        num_frames = self.num_frames or vectors.shape[1]
        if vectors.shape[1] % num_frames:
            raise ValueError(
                f"clips of {vectors.shape[1]} frames cannot be cut into pieces of {num_frames}; "
                "set `model.fused_frames` to None"
            )
        audio = self.align(vectors).reshape(-1, num_frames, self.align.out_features)
        tokens = stage.flatten(2).transpose(1, 2).unflatten(0, audio.shape[:2])  # (B, T, N, C)
        out = self.block(tokens, audio)
        fused = out.visual.flatten(0, 1).transpose(1, 2).reshape(stage.shape)
        return fused, out.audio[:, :num_frames].flatten(0, 1)


class ResidualUnit(nn.Module):
    """ReLU, convolution, ReLU, convolution, and the input again (RefineNet, Lin et al. 2017).

    With ``inplace_relu`` it is as AVSBench released it: the first ReLU changes the input itself,
    so that what is added again is ReLU(x).
    """

    def __init__(self, channels: int, inplace_relu: bool = False) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.inplace_relu = inplace_relu

    def forward(self, x: Tensor) -> Tensor:
        """(F, C, h, w) -> the same."""
        rectified = F.relu(x)
        added = rectified if self.inplace_relu else x
        out: Tensor = added + self.second(F.relu(self.first(rectified)))
        return out


class RefineStep(nn.Module):
    """Add a finer stage to what came from the coarser ones.

    Args:
        channels: C.
        inplace_relu: see :class:`ResidualUnit`.
        coarsest: the first step has nothing to add to, and one unit less.
        unused_parameters: register that unit all the same, as in the released network.
    """

    def __init__(
        self,
        channels: int,
        inplace_relu: bool = False,
        coarsest: bool = False,
        unused_parameters: bool = False,
    ) -> None:
        super().__init__()
        self.skip = None if coarsest else ResidualUnit(channels, inplace_relu)
        if coarsest and unused_parameters:
            self.unused_skip = ResidualUnit(channels)
        self.out = ResidualUnit(channels, inplace_relu)

    def forward(self, stage: Tensor, coarser: Tensor | None = None) -> Tensor:
        """(F, C, h, w) of the stage and (F, C, h', w') so far -> (F, C, h, w)."""
        if self.skip is None or coarser is None:
            return self.out(stage)  # type: ignore[no-any-return]
        return self.out(enlarge(coarser, stage.shape[-1]) + self.skip(stage))  # type: ignore[no-any-return]


class MaskHead(nn.Module):
    """C channels to K logits, enlarged on the way.

    Args:
        channels: C.
        inner_channels: of the two convolutions in front of the last one; (128, 32) in AVSBench.
        num_logits: K.
    """

    def __init__(self, channels: int, inner_channels: Sequence[int], num_logits: int = 1) -> None:
        super().__init__()
        wide, narrow = inner_channels
        self.first = nn.Conv2d(channels, wide, 3, padding=1)
        self.second = nn.Conv2d(wide, narrow, 3, padding=1)
        self.last = nn.Conv2d(narrow, num_logits, 1)

    def forward(self, x: Tensor, inner_side: int, side: int) -> Tensor:
        """(F, C, h, h) -> (F, K, side, side); the first convolution works at ``inner_side``."""
        x = enlarge(self.first(enlarge(x, inner_side)), side, align_corners=False)
        out: Tensor = self.last(F.relu(self.second(x)))
        return out


def enlarge(x: Tensor, side: int, align_corners: bool = True) -> Tensor:
    """Bilinearly to (F, C, side, side), corners on corners but in the last step, as in AVSBench."""
    if x.shape[-1] == side:
        return x
    return F.interpolate(x, size=(side, side), mode="bilinear", align_corners=align_corners)
