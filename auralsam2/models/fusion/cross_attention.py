"""Softmax cross-attention, from the frames to the audio or both ways."""

from __future__ import annotations

from torch import Tensor, nn

from auralsam2.models.attention import multi_head_attention
from auralsam2.models.fusion.base import ScopedFusion
from auralsam2.registry import FUSIONS
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
        dropout = self.dropout if self.training else 0.0
        query, key_value = self.query(tokens), self.key_value(context)
        return self.proj(multi_head_attention(query, key_value, self.num_heads, dropout))


@FUSIONS.register_module()
class CrossAttentionFusion(ScopedFusion):
    """Softmax cross-attention from audio to visual, added, with a layer norm behind it.

    With x the visual and d the audio tokens, MHA multi-head attention::

        V = LN(x + MHA(x, d)),   A = d

    The attention weights of a token sum to one, so with ``scope="frame"`` and no text every token
    of a frame reads the same vector: nothing is left to attend to.

    Args:
        channels: C.
        num_heads: heads of the attention.
        dropout: rate on the attention weights and on what is read.
        scope: ``clip``, every visual token attends to all audio tokens of its clip (and back), or
            ``frame``, to its own frame's (and the text's).

    Raises:
        ValueError: where C is not divisible by the heads, or on an unknown ``scope``.
    """

    sees = False

    def __init__(
        self, channels: int, num_heads: int = 4, dropout: float = 0.1, scope: str = "clip"
    ) -> None:
        divisible = num_heads > 0 and channels % num_heads == 0
        heads = f"{channels} channels are not divisible by {num_heads=}"
        super().__init__(scope, *([] if divisible else [heads]))
        self.audio_to_visual = CrossAttention(channels, num_heads, dropout)
        if self.sees:
            self.visual_to_audio = CrossAttention(channels, num_heads, dropout)
        self.dropout = nn.Dropout(dropout)
        self.visual_norm = nn.LayerNorm(channels)
        if self.sees:
            self.audio_norm = nn.LayerNorm(channels)

    def _fuse(self, visual: Tensor, audio: Tensor) -> FusionOutput:
        frames = visual.flatten(1, 2)  # (B, T * N, C)
        heard = self.dropout(self.audio_to_visual(frames, audio))
        return FusionOutput(self.visual_norm(frames + heard).view_as(visual), audio)


@FUSIONS.register_module()
class TwoWayCrossAttentionFusion(CrossAttentionFusion):
    """Softmax cross-attention both ways, the ordinary alternative to the published block.

    With the same names::

        V = LN(x + MHA(x, d))
        A = LN(d + MHA(d, x))

    Both directions read the streams as they came in. Arguments are those of
    :class:`CrossAttentionFusion`.
    """

    sees = True

    def _fuse(self, visual: Tensor, audio: Tensor) -> FusionOutput:
        fused = super()._fuse(visual, audio)
        seen = self.dropout(self.visual_to_audio(audio, visual.flatten(1, 2)))
        return fused._replace(audio=self.audio_norm(audio + seen))
