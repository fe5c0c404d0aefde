"""Two-way cross-attention."""

import pytest
import torch

from auralsam2.models.fusion.cross_attention import CrossAttention, CrossAttentionFusion

C = 16


@torch.no_grad()
def test_attention_equals_the_softmax_formula() -> None:
    module = CrossAttention(C, num_heads=1, dropout=0.1).eval()
    tokens, context = torch.randn(2, 7, C), torch.randn(2, 3, C)
    key, value = module.key_value(context).chunk(2, dim=-1)
    weights = (module.query(tokens) @ key.transpose(1, 2) / C**0.5).softmax(-1)
    torch.testing.assert_close(module(tokens, context), module.proj(weights @ value))


@torch.no_grad()
def test_order_of_audio_tokens_does_not_matter_to_the_frames() -> None:
    fusion = CrossAttentionFusion(C).eval()
    visual, audio = torch.randn(1, 3, 4, C), torch.randn(1, 3, C)
    before, after = fusion(visual, audio), fusion(visual, audio.flip(1))
    torch.testing.assert_close(before.visual, after.visual)
    torch.testing.assert_close(before.audio.flip(1), after.audio)


def test_heads_that_do_not_divide_are_refused() -> None:
    with pytest.raises(ValueError, match="16 channels are not divisible by num_heads=3"):
        CrossAttentionFusion(C, num_heads=3)
