"""Cross-attention, one way and both."""

import pytest
import torch

from auralsam2.models.fusion.cross_attention import (
    CrossAttention,
    CrossAttentionFusion,
    TwoWayCrossAttentionFusion,
)

C = 16


@pytest.mark.parametrize("heads", [1, 2])
@torch.no_grad()
def test_each_head_follows_the_softmax_formula_on_its_own_channels(heads: int) -> None:
    module = CrossAttention(C, heads, dropout=0.1).eval()
    tokens, context = torch.randn(2, 7, C), torch.randn(2, 3, C)
    key, value = module.key_value(context).chunk(2, dim=-1)
    read = []
    for own in torch.arange(C).chunk(heads):
        product = module.query(tokens)[..., own] @ key[..., own].transpose(1, 2)
        read.append((product / (C // heads) ** 0.5).softmax(-1) @ value[..., own])
    torch.testing.assert_close(module(tokens, context), module.proj(torch.cat(read, dim=-1)))


@torch.no_grad()
def test_visual_tokens_read_the_audio_and_the_audio_passes() -> None:
    fusion = CrossAttentionFusion(C).eval()
    visual, audio = torch.randn(1, 3, 4, C), torch.randn(1, 5, C)
    out = fusion(visual, audio)
    token = visual[:, 1, 2:3]
    expected = fusion.visual_norm(token + fusion.audio_to_visual(token, audio))
    torch.testing.assert_close(out.visual[:, 1, 2:3], expected)
    assert out.audio is audio


@torch.no_grad()
def test_alone_with_one_audio_token_all_positions_read_the_same() -> None:
    fusion = CrossAttentionFusion(C, scope="frame").eval()
    fusion.visual_norm = torch.nn.Identity()
    visual, audio = torch.randn(1, 3, 4, C), torch.randn(1, 3, C)
    read = fusion(visual, audio).visual - visual
    torch.testing.assert_close(read, read[:, :, :1].expand_as(read))
    assert not torch.allclose(read[:, 0], read[:, 1], atol=1e-3)


def test_all_problems_at_once() -> None:
    message = "16 channels are not divisible by num_heads=3; unknown scope='all'"
    with pytest.raises(ValueError, match=f"CrossAttentionFusion: {message}"):
        CrossAttentionFusion(C, num_heads=3, scope="all")
    with pytest.raises(ValueError, match="num_heads=0"):
        CrossAttentionFusion(C, num_heads=0)


@torch.no_grad()
def test_order_of_audio_tokens_does_not_matter_to_the_frames() -> None:
    fusion = TwoWayCrossAttentionFusion(C).eval()
    visual, audio = torch.randn(1, 3, 4, C), torch.randn(1, 3, C)
    before, after = fusion(visual, audio), fusion(visual, audio.flip(1))
    torch.testing.assert_close(before.visual, after.visual)
    torch.testing.assert_close(before.audio.flip(1), after.audio)


@torch.no_grad()
def test_both_directions_read_the_streams_as_they_came() -> None:
    fusion = TwoWayCrossAttentionFusion(C).eval()
    visual, audio = torch.randn(2, 3, 4, C), torch.randn(2, 3, C)
    seen = fusion.visual_to_audio(audio, visual.flatten(1, 2))
    torch.testing.assert_close(fusion(visual, audio).audio, fusion.audio_norm(audio + seen))
    one_way = CrossAttentionFusion(C).eval()
    one_way.load_state_dict(fusion.state_dict(), strict=False)
    assert torch.equal(one_way(visual, audio).visual, fusion(visual, audio).visual)
