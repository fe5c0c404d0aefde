"""The contract of a fusion block."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from auralsam2.structures import FusionOutput


class Fusion(nn.Module, ABC):
    """Exchange information between the visual and the audio tokens of one pyramid level.

    A subclass registers itself in ``FUSIONS`` and lives in one file of this package (or in any
    module named by the config's ``custom_imports``). Its constructor takes ``channels`` (C, given
    by the model) and own keywords, all with defaults.

    The block

    * returns both streams, what came in included, in the shapes it got;
    * never lets one clip see another: permuting the clips permutes the outputs, and in eval mode
      a clip's output does not depend on what else is in the batch;
    * uses every parameter, but for those named ``unused_...`` that a foreign state dict brings,
      and has parameters where it hears or sees;
    * works for T = 1, for M = T (one token a frame) and M > T (text tokens behind them), and
      under half precision.

    Attributes:
        hears: the visual output depends on the audio.
        sees: the audio output depends on the frames; where not, it is the audio input itself.
    """

    hears: ClassVar[bool] = True
    sees: ClassVar[bool] = True

    @abstractmethod
    def forward(self, visual: Tensor, audio: Tensor) -> FusionOutput:
        """Fuse one level.

        Args:
            visual: (B, T, N, C) tokens of B clips of T frames, position code included.
            audio: (B, M, C) tokens of the clips, the first T those of the frames.

        Returns:
            ``visual`` (B, T, N, C) and ``audio`` (B, M, C).
        """
