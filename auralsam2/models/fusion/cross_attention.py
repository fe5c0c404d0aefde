"""Two-way softmax cross-attention, the ordinary alternative to the published block."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from auralsam2.models.fusion.base import Fusion
from auralsam2.registry import FUSIONS
from auralsam2.shapes import check_shape
from auralsam2.structures import FusionOutput


class CrossAttention(nn.Module):
    """Multi-head softmax attention (Vaswani et al. 2017, section 3.2) from one stream to another.

    Args:
        channels: C, divisible by ``num_heads``.
        num_heads: number of heads.
        dropout: rate on the attention weights.
    """

    def __init__(self, channels: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self.num_heads, self.dropout = num_heads, dropout
        self.query = nn.Linear(channels, channels)
        self.key_value = nn.Linear(channels, 2 * channels)
        self.proj = nn.Linear(channels, channels)

    def forward(self, tokens: Tensor, context: Tensor) -> Tensor:
        """What ``tokens`` (B, L, C) read from ``context`` (B, S, C), as (B, L, C)."""
        q = self.query(tokens).unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
        kv = self.key_value(context).unflatten(-1, (2, self.num_heads, -1))
        k, v = kv.permute(2, 0, 3, 1, 4)
        dropout = self.dropout if self.training else 0.0
        read = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout)
        return self.proj(read.transpose(1, 2).flatten(2))


@FUSIONS.register_module()
class CrossAttentionFusion(Fusion):
    """Softmax cross-attention both ways, each with a residual and a layer norm behind it.

    Every visual token of a clip attends to all of its audio tokens, and every audio token to the
    visual tokens of all frames; both directions read the streams as they came in.

    Args:
        channels: C.
        num_heads: heads of each direction.
        dropout: rate on the attention weights and on what is read.

    Raises:
        ValueError: where C is not divisible by the heads.
    """

    def __init__(self, channels: int, num_heads: int = 4, dropout: float = 0.1) -> None:
        super().__init__()
        if channels % num_heads:
            raise ValueError(f"fusion: {channels} channels are not divisible by {num_heads=}")
        self.audio_to_visual = CrossAttention(channels, num_heads, dropout)
        self.visual_to_audio = CrossAttention(channels, num_heads, dropout)
        self.dropout = nn.Dropout(dropout)
        self.visual_norm = nn.LayerNorm(channels)
        self.audio_norm = nn.LayerNorm(channels)

    def forward(self, visual: Tensor, audio: Tensor) -> FusionOutput:
        """(B, T, N, C) and (B, M, C) to the same shapes."""
        sizes = check_shape(visual, "B T N C", name="visual tokens")
        check_shape(audio, "B M C", name="audio tokens", B=sizes["B"], C=sizes["C"])
        frames = visual.flatten(1, 2)  # (B, T * N, C)
        heard = self.dropout(self.audio_to_visual(frames, audio))
        seen = self.dropout(self.visual_to_audio(audio, frames))
        return FusionOutput(
            self.visual_norm(frames + heard).view_as(visual), self.audio_norm(audio + seen)
        )
