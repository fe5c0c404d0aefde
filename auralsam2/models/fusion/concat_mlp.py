"""Concatenation and an MLP: fusion without attention."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from auralsam2.models.fusion.base import Fusion
from auralsam2.models.fusion.frame_audio import audio_of_frames
from auralsam2.registry import FUSIONS
from auralsam2.structures import FusionOutput


@FUSIONS.register_module()
class ConcatMLPFusion(Fusion):
    """Each visual token beside its frame's audio vector, through an MLP of two layers.

    With x a visual token and a the audio vector of its frame (see :func:`audio_of_frames`)::

        V = LN(x + W_2 GELU(W_1 [x; a])),   A = d

    Frames are fused on their own.

    Args:
        channels: C.
        hidden_channels: width of the hidden layer; ``None`` is C.
        dropout: rate on the hidden layer.
    """

    sees = False

    def __init__(
        self, channels: int, hidden_channels: int | None = None, dropout: float = 0.1
    ) -> None:
        super().__init__()
        hidden = hidden_channels or channels
        self.hidden = nn.Linear(2 * channels, hidden)
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(hidden, channels)
        self.visual_norm = nn.LayerNorm(channels)

    def forward(self, visual: Tensor, audio: Tensor) -> FusionOutput:
        """(B, T, N, C) and (B, M, C) to the same shapes."""
        heard = audio_of_frames(visual, audio)
        # W_1 [x; a] by halves: the audio's is the same for all N tokens of a frame.
        of_visual, of_audio = self.hidden.weight.chunk(2, dim=1)
        hidden = F.linear(visual, of_visual) + F.linear(heard, of_audio, self.hidden.bias)
        hidden = F.gelu(hidden)
        return FusionOutput(self.visual_norm(visual + self.out(self.dropout(hidden))), audio)
