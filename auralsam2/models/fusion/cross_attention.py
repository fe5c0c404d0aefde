"""Plain softmax cross-attention from the frames to the audio."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from auralsam2.models.fusion.scope import ScopedFusion, scope_problems
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
        q = self.query(tokens).unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
        kv = self.key_value(context).unflatten(-1, (2, self.num_heads, -1))
        k, v = kv.permute(2, 0, 3, 1, 4)
        dropout = self.dropout if self.training else 0.0
        read = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout)
        return self.proj(read.transpose(1, 2).flatten(2))


def head_problems(channels: int, num_heads: int) -> list[str]:
    """What is wrong with a number of heads, in words; empty where nothing is."""
    if num_heads > 0 and channels % num_heads == 0:
        return []
    return [f"{channels} channels are not divisible by {num_heads=}"]


@FUSIONS.register_module()
class CrossAttentionFusion(ScopedFusion):
    """Softmax cross-attention from audio to visual, with a residual and a layer norm behind it.

    With x the visual and d the audio tokens, MHA multi-head attention::

        V = LN(x + MHA(x, d)),   A = d

    The attention weights of a token sum to one, so with ``scope="frame"`` and no text every token
    of a frame reads the same vector: nothing is left to attend to.

    Args:
        channels: C.
        num_heads: heads of the attention.
        dropout: rate on the attention weights and on what is read.
        scope: ``clip``, every visual token attends to all audio tokens of its clip, or ``frame``,
            to its own frame's (and the text's).

    Raises:
        ValueError: where C is not divisible by the heads, or on an unknown ``scope``.
    """

    sees = False

    def __init__(
        self, channels: int, num_heads: int = 4, dropout: float = 0.1, scope: str = "clip"
    ) -> None:
        problems = head_problems(channels, num_heads) + scope_problems(scope)
        if problems:
            raise ValueError(f"{type(self).__name__}: " + "; ".join(problems))
        super().__init__(scope)
        self.audio_to_visual = CrossAttention(channels, num_heads, dropout)
        self.dropout = nn.Dropout(dropout)
        self.visual_norm = nn.LayerNorm(channels)

    def _fuse(self, visual: Tensor, audio: Tensor) -> FusionOutput:
        frames = visual.flatten(1, 2)  # (B, T * N, C)
        heard = self.dropout(self.audio_to_visual(frames, audio))
        return FusionOutput(self.visual_norm(frames + heard).view_as(visual), audio)
