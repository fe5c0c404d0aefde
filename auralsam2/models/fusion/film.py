"""Feature-wise linear modulation: the audio scales and shifts visual channels."""

from __future__ import annotations

from torch import Tensor, nn

from auralsam2.models.fusion.base import Fusion
from auralsam2.models.fusion.frame_audio import audio_of_frames
from auralsam2.registry import FUSIONS
from auralsam2.structures import FusionOutput

GATES = ("linear", "sigmoid")


@FUSIONS.register_module()
class FiLMFusion(Fusion):
    """Channels of every visual token scaled and shifted by the audio (Perez et al. 2018, eq. 1-2).

    With x a visual token and a the audio vector of its frame (see :func:`audio_of_frames`)::

        gamma, beta = W a + b
        V = LN(gamma * x + beta),   A = d

    The same scale and shift hold for all positions of a frame: the audio chooses channels, not
    places. Frames are fused on their own.

    Args:
        channels: C.
        gate: ``linear``, gamma = 1 + W a (Perez et al., section 7.2: a scale around one), or
            ``sigmoid``, gamma in (0, 1), the channel gate of squeeze-and-excitation (Hu et al.
            2018).
        shift: add beta; off, the audio only scales.

    Raises:
        ValueError: on an unknown ``gate``.
    """

    sees = False

    def __init__(self, channels: int, gate: str = "linear", shift: bool = True) -> None:
        if gate not in GATES:
            raise ValueError(f"{type(self).__name__}: unknown {gate=}; known: {', '.join(GATES)}")
        super().__init__()
        self.gate = gate
        self.scale = nn.Linear(channels, channels)
        self.shift = nn.Linear(channels, channels) if shift else None
        self.visual_norm = nn.LayerNorm(channels)

    def forward(self, visual: Tensor, audio: Tensor) -> FusionOutput:
        """(B, T, N, C) and (B, M, C) to the same shapes."""
        heard = audio_of_frames(visual, audio)
        gamma = self.scale(heard)
        gamma = gamma.sigmoid() if self.gate == "sigmoid" else 1 + gamma
        modulated = gamma * visual
        if self.shift is not None:
            modulated = modulated + self.shift(heard)
        return FusionOutput(self.visual_norm(modulated), audio)
