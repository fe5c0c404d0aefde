"""The contract of a fusion block, and blocks that see a clip whole or frame by frame."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor, nn

from auralsam2.messages import unknown_values
from auralsam2.shapes import check_shape
from auralsam2.structures import FusionOutput

SCOPES = ("clip", "frame")


class Fusion(nn.Module, ABC):
    """Exchange information between the visual and the audio tokens of one pyramid level.

    A subclass registers itself in ``FUSIONS`` and lives in a file of this package (or in any
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
    """

    hears: ClassVar[bool] = True  # the visual output depends on the audio
    # The audio output depends on the frames; where not, it is the audio input itself.
    sees: ClassVar[bool] = True

    @abstractmethod
    def forward(self, visual: Tensor, audio: Tensor) -> FusionOutput:
        """Fuse one level; both streams keep their shapes.

        Args:
            visual: (B, T, N, C) tokens of B clips of T frames, position code included.
            audio: (B, M, C) tokens of the clips, the first T those of the frames.
        """


class ScopedFusion(Fusion):
    """A fusion written for whole clips that can also be applied to every frame on its own.

    With ``scope="clip"`` all frames of a clip meet all of its audio tokens. With
    ``scope="frame"`` the same block gets clips of one frame: the frame, its own audio token, and
    the text tokens, which belong to every frame. Each frame then leaves its own version of the
    text tokens; their mean goes on.

    Args:
        scope: ``clip`` or ``frame``.
        *problems: what else is wrong with the arguments of a subclass, for one ValueError.
    """

    def __init__(self, scope: str, *problems: str) -> None:
        if found := [*problems, *unknown_values(scope=(scope, SCOPES))]:
            raise ValueError(f"{type(self).__name__}: " + "; ".join(found))
        super().__init__()
        self.scope = scope

    def forward(self, visual: Tensor, audio: Tensor) -> FusionOutput:
        """(B, T, N, C) and (B, M, C) to the same shapes."""
        sizes = check_shape(visual, "B T N C", name="visual tokens")
        check_shape(audio, "B M C", name="audio tokens", B=sizes["B"], C=sizes["C"])
        if self.scope == "clip":
            return self._fuse(visual, audio)
        fused = self._fuse(*split_frames(visual, audio))
        joined = join_frames(fused, sizes["T"])
        # A mean over equal copies would change the last bits of a stream that only passes.
        return joined if self.sees else joined._replace(audio=audio)

    @abstractmethod
    def _fuse(self, visual: Tensor, audio: Tensor) -> FusionOutput:
        """All frames of ``visual`` (B, T, N, C) together with all of ``audio`` (B, M, C)."""


def split_frames(visual: Tensor, audio: Tensor) -> tuple[Tensor, Tensor]:
    """Clips to clips of one frame; K of the audio's tokens belong to every frame.

    (B, T, N, C), (B, T + K, C) -> (B * T, 1, N, C), (B * T, 1 + K, C).
    """
    num_frames = visual.shape[1]
    own, shared = audio[:, :num_frames, None], audio[:, None, num_frames:]
    per_frame = torch.cat([own, shared.expand(-1, num_frames, -1, -1)], dim=2)
    return visual.flatten(0, 1).unsqueeze(1), per_frame.flatten(0, 1)


def join_frames(fused: FusionOutput, num_frames: int) -> FusionOutput:
    """Inverse of :func:`split_frames`; of the shared tokens, the mean over the T frames."""

    def visual_of_clips(tokens: Tensor) -> Tensor:
        """(B * T, 1, N, C) -> (B, T, N, C)."""
        return tokens.squeeze(1).unflatten(0, (-1, num_frames))

    def audio_of_clips(tokens: Tensor) -> Tensor:
        """(B * T, 1 + K, C) -> (B, T + K, C)."""
        split = tokens.unflatten(0, (-1, num_frames))
        return torch.cat([split[:, :, 0], split[:, :, 1:].mean(dim=1)], dim=1)

    visual, audio, visual_update, audio_update = fused
    return FusionOutput(
        visual_of_clips(visual),
        audio_of_clips(audio),
        None if visual_update is None else visual_of_clips(visual_update),
        None if audio_update is None else audio_of_clips(audio_update),
    )
