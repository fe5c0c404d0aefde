"""Low-rank bilinear pooling of visual tokens with their frame's audio."""

from __future__ import annotations

from torch import Tensor, nn

from auralsam2.models.fusion.base import Fusion
from auralsam2.models.fusion.frame_audio import audio_of_frames
from auralsam2.registry import FUSIONS
from auralsam2.structures import FusionOutput


@FUSIONS.register_module()
class BilinearFusion(Fusion):
    """Hadamard product of both projections (low-rank bilinear pooling, Kim et al. 2017, 3.2).

    With x a visual token and a the audio vector of its frame (see :func:`audio_of_frames`)::

        V = LN(x + P (tanh(U x) * tanh(W a))),   A = d

    which is what a full bilinear form of C x C weights an output becomes at low rank. Frames are
    fused on their own.

    Args:
        channels: C.
        rank: width of the joint space; ``None`` is C.
        num_factors: products summed into each channel of the joint space; 1 is Kim et al., more is
            the sum pooling of multi-modal factorized bilinear pooling (MFB, Yu et al. 2017), whose
            power and L2 normalisation the layer norm stands in for.
        dropout: rate on the joint space.

    Raises:
        ValueError: where ``rank`` or ``num_factors`` is below 1.
    """

    sees = False

    def __init__(
        self,
        channels: int,
        rank: int | None = None,
        num_factors: int = 1,
        dropout: float = 0.1,
    ) -> None:
        rank = channels if rank is None else rank
        problems = [
            f"{name} must be at least 1, got {value}"
            for name, value in (("rank", rank), ("num_factors", num_factors))
            if value < 1
        ]
        if problems:
            raise ValueError(f"{type(self).__name__}: " + "; ".join(problems))
        super().__init__()
        self.num_factors = num_factors
        self.visual_factor = nn.Linear(channels, rank * num_factors)
        self.audio_factor = nn.Linear(channels, rank * num_factors)
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(rank, channels)
        self.visual_norm = nn.LayerNorm(channels)

    def forward(self, visual: Tensor, audio: Tensor) -> FusionOutput:
        """(B, T, N, C) and (B, M, C) to the same shapes."""
        heard = self.audio_factor(audio_of_frames(visual, audio)).tanh()
        joint = self.visual_factor(visual).tanh() * heard  # (B, T, N, rank * num_factors)
        joint = joint.unflatten(-1, (-1, self.num_factors)).sum(dim=-1)
        return FusionOutput(self.visual_norm(visual + self.out(self.dropout(joint))), audio)
