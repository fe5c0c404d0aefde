"""Self-attention of the audio stream with all the parameters of the released state dicts."""

from __future__ import annotations

from torch import nn

from auralsam2.models.attention import AttentionBlock, TemporalSelfAttention
from auralsam2.registry import AUDIO_ATTENTIONS


@AUDIO_ATTENTIONS.register_module()
class ReleasedTemporalAttention(TemporalSelfAttention):
    """Computes what :class:`TemporalSelfAttention` does and owns what the release never uses.

    The released audio blocks are its visual blocks with another forward: a reduction convolution
    and its norm in the attention and a depth-wise convolution in the feed-forward remain, get no
    gradient, and stand in the published checkpoints (with the fusion's two, 9.73 M parameters).

    Args:
        channels: C.
        depth: number of blocks.
        num_heads: heads of the attention.
        mlp_ratio: width of the feed-forward's hidden layer over C.
        dropout: rate on attention weights, attention output and twice in the feed-forward.
        unused_reduction: kernel of the unused reduction convolution.

    Raises:
        ValueError: where C is not divisible by the heads.
    """

    def __init__(
        self,
        channels: int,
        depth: int,
        num_heads: int = 4,
        mlp_ratio: float = 4,
        dropout: float = 0.1,
        unused_reduction: int = 4,
    ) -> None:
        super().__init__(channels, depth, num_heads, mlp_ratio, dropout)
        hidden = int(channels * mlp_ratio)
        for block in self.blocks:
            assert isinstance(block, AttentionBlock)
            unused = {
                "unused_reduction": nn.Conv2d(channels, channels, unused_reduction),
                "unused_reduction_norm": nn.LayerNorm(channels),
            }
            for name, module in unused.items():
                block.attn.add_module(name, module)
            block.mlp.add_module("unused_depthwise", nn.Conv2d(hidden, hidden, 3, groups=hidden))
