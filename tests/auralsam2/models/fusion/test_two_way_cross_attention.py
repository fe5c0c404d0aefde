"""Two-way cross-attention."""

import pytest
import torch

from auralsam2.models.fusion.cross_attention import CrossAttentionFusion
from auralsam2.models.fusion.two_way_cross_attention import TwoWayCrossAttentionFusion

C = 16


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


def test_heads_that_do_not_divide_are_refused() -> None:
    with pytest.raises(ValueError, match="16 channels are not divisible by num_heads=3"):
        TwoWayCrossAttentionFusion(C, num_heads=3)
