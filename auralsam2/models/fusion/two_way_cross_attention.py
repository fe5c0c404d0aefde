"""Two-way softmax cross-attention, the ordinary alternative to the published block."""

from __future__ import annotations

from torch import Tensor, nn

from auralsam2.models.fusion.cross_attention import CrossAttention, head_problems
from auralsam2.models.fusion.scope import ScopedFusion, scope_problems
from auralsam2.registry import FUSIONS
from auralsam2.structures import FusionOutput


@FUSIONS.register_module()
class TwoWayCrossAttentionFusion(ScopedFusion):
    """Softmax cross-attention both ways, each with a residual and a layer norm behind it.

    With x the visual and d the audio tokens, MHA multi-head attention::

        V = LN(x + MHA(x, d))
        A = LN(d + MHA(d, x))

    Both directions read the streams as they came in. The weights of a token sum to one, so with
    ``scope="frame"`` and no text every visual token of a frame reads the same vector.

    Args:
        channels: C.
        num_heads: heads of each direction.
        dropout: rate on the attention weights and on what is read.
        scope: ``clip``, every visual token attends to all audio tokens of its clip and every audio
            token to all frames, or ``frame``, each frame with its own audio token (and the text's).

    Raises:
        ValueError: where C is not divisible by the heads, or on an unknown ``scope``.
    """

    def __init__(
        self, channels: int, num_heads: int = 4, dropout: float = 0.1, scope: str = "clip"
    ) -> None:
        problems = head_problems(channels, num_heads) + scope_problems(scope)
        if problems:
            raise ValueError(f"{type(self).__name__}: " + "; ".join(problems))
        super().__init__(scope)
        self.audio_to_visual = CrossAttention(channels, num_heads, dropout)
        self.visual_to_audio = CrossAttention(channels, num_heads, dropout)
        self.dropout = nn.Dropout(dropout)
        self.visual_norm = nn.LayerNorm(channels)
        self.audio_norm = nn.LayerNorm(channels)

    def _fuse(self, visual: Tensor, audio: Tensor) -> FusionOutput:
        frames = visual.flatten(1, 2)  # (B, T * N, C)
        heard = self.dropout(self.audio_to_visual(frames, audio))
        seen = self.dropout(self.visual_to_audio(audio, frames))
        return FusionOutput(
            self.visual_norm(frames + heard).view_as(visual), self.audio_norm(audio + seen)
        )
