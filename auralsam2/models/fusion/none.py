"""No fusion: the lower line of every comparison of fusion blocks."""

from __future__ import annotations

from torch import Tensor

from auralsam2.models.fusion.base import Fusion
from auralsam2.registry import FUSIONS
from auralsam2.structures import FusionOutput


@FUSIONS.register_module()
class NoFusion(Fusion):
    """Pass both streams on unchanged; the modalities meet only in the mask decoder.

    Args:
        channels: C; accepted as for every fusion, nothing is built from it.
    """

    hears = sees = False

    def __init__(self, channels: int) -> None:
        super().__init__()

    def forward(self, visual: Tensor, audio: Tensor) -> FusionOutput:
        """(B, T, N, C) and (B, M, C), unchanged."""
        return FusionOutput(visual, audio)
