"""Fusion blocks in which nothing attends: each frame meets the one vector that it hears."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from auralsam2.messages import too_small, unknown_values
from auralsam2.models.fusion.base import Fusion
from auralsam2.registry import FUSIONS
from auralsam2.shapes import check_shape
from auralsam2.structures import FusionOutput

GATES = ("linear", "sigmoid")


def audio_of_frames(visual: Tensor, audio: Tensor) -> Tensor:
    """Each frame's own audio token; text tokens join as their mean, added to it.

    The text has no place in time, so every frame gets the same; its padding counts, as it does in
    attention. Without text, nothing is added.

    Args:
        visual: (B, T, N, C).
        audio: (B, M, C), the first T tokens those of the frames, text behind them.

    Returns:
        (B, T, 1, C), to be broadcast over the N tokens of a frame.
    """
    sizes = check_shape(visual, "B T N C", name="visual tokens")
    check_shape(audio, "B M C", name="audio tokens", B=sizes["B"], C=sizes["C"])
    own, text = audio[:, : sizes["T"]], audio[:, sizes["T"] :]
    if text.shape[1]:
        own = own + text.mean(dim=1, keepdim=True)
    return own.unsqueeze(2)


@FUSIONS.register_module()
class NoFusion(Fusion):
    """Pass both streams on unchanged; the modalities meet only in the mask decoder."""

    hears = sees = False

    def __init__(self, channels: int) -> None:
        super().__init__()

    def forward(self, visual: Tensor, audio: Tensor) -> FusionOutput:
        """(B, T, N, C) and (B, M, C), unchanged."""
        return FusionOutput(visual, audio)


@FUSIONS.register_module()
class FiLMFusion(Fusion):
    """Channels of every visual token scaled and shifted by the audio (Perez et al. 2018, eq. 1-2).

    With x a visual token and a the audio vector of its frame (see :func:`audio_of_frames`)::

        gamma, beta = W a + b
        V = LN(gamma * x + beta),   A = d

    The same scale and shift hold for all positions of a frame: the audio chooses channels, not
    places.

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
        if wrong := unknown_values(gate=(gate, GATES)):
            raise ValueError(f"{type(self).__name__}: {wrong[0]}")
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


@FUSIONS.register_module()
class ConcatMLPFusion(Fusion):
    """Each visual token beside its frame's audio vector, through an MLP of two layers.

    With x a visual token and a the audio vector of its frame (see :func:`audio_of_frames`)::

        V = LN(x + W_2 GELU(W_1 [x; a])),   A = d

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


@FUSIONS.register_module()
class BilinearFusion(Fusion):
    """Hadamard product of both projections (low-rank bilinear pooling, Kim et al. 2017, 3.2).

    With x a visual token and a the audio vector of its frame (see :func:`audio_of_frames`)::

        V = LN(x + P (tanh(U x) * tanh(W a))),   A = d

    which is what a full bilinear form of C x C weights an output becomes at low rank.

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
        if problems := too_small(rank=(rank, 1), num_factors=(num_factors, 1)):
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
