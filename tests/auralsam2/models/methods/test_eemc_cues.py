"""Sound, words and sight of a clip to prompt tokens, repaired and as released."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from auralsam2.engine.hooks.checkpoint_hooks import trainable_state
from auralsam2.models.methods.eemc_cues import MultimodalCues, cached_memory

B, T, K, W, N = 2, 3, 4, 16, 9
RELEASED = dict(scramble_visual_tokens=True, attend_across_clips=True, freeze_attentions=True)
CASES = [{}, {"scramble_visual_tokens": True}, {"attend_across_clips": True}, RELEASED]


def build(**switches: Any) -> MultimodalCues:
    torch.manual_seed(0)
    sizes = dict(audio_channels=5, text_channels=6, visual_channels=W, prompt_channels=8)
    return MultimodalCues(**sizes, width=W, hidden_channels=12, num_heads=2, **switches)


def inputs() -> tuple[Tensor, Tensor, Tensor]:
    return torch.randn(B, T, W, 3, 3), torch.randn(B, T, 5), torch.randn(B, K, 6)


def changed(one: Tensor, other: Tensor) -> list[bool]:
    return [bool((a - b).abs().max() > 1e-5) for a, b in zip(one, other)]


def test_cached_memory_by_hand() -> None:
    cues = torch.tensor([[[1.0], [3.0], [8.0]]])
    assert cached_memory(cues).flatten().tolist() == [1, 4, 12]
    many = torch.ones(1, 1440, 1, dtype=torch.bfloat16)
    torch.testing.assert_close(cached_memory(many), torch.ones(1, 1440, 1))


@pytest.mark.parametrize("switches", CASES, ids=str)
def test_every_frame_has_tokens_of_all_senses(switches: dict[str, bool]) -> None:
    assert build(**switches)(*inputs()).shape == (B, T, T + N + K + 2, 8)


def test_a_repaired_clip_hears_nothing_of_others_and_a_released_one_does() -> None:
    visual, audio, text = inputs()
    loud = audio.clone()
    loud[1] += 1
    for across in (False, True):
        cues = build(attend_across_clips=across)
        assert changed(cues(visual, audio, text), cues(visual, loud, text)) == [across, True]


def test_tokens_of_a_frame_read_each_other_only_once_repaired() -> None:
    tokens = torch.randn(1, 1, 3, W)
    moved = tokens.clone()
    moved[..., 2, :] += 1
    for across in (False, True):
        cues = build(attend_across_clips=across)
        one, other = (
            cues._prompts(x[:, 0, :1], x[:, :, 1:2], x[:, 0, 2:]) for x in (tokens, moved)
        )
        # Of the sound, zeros, the position, ones, and the word that was changed.
        others = [False] * 4 if across else [True] * 4
        assert changed(one[0, 0], other[0, 0]) == [*others, True]


def test_a_token_is_a_position_or_a_piece_of_memory() -> None:
    visual = inputs()[0]
    repaired = build()._visual_tokens(visual)
    assert torch.equal(repaired[1, N + 4], visual[1, 1, :, 1, 1])
    released = build(**RELEASED)._visual_tokens(visual)
    assert torch.equal(released.flatten(), visual.flatten())


def test_the_memory_of_a_position_runs_along_its_frames() -> None:
    seen = torch.zeros(1, T * N, W)
    seen[0, 4] = 1  # one position of the first frame
    kept = build()._remembered(seen, T)
    assert [float(x) for x in kept[0, :, 4, 0]] == [1, -0.5, pytest.approx(-1 / 3)]
    assert not kept[0, :, [3, 5]].any()
    assert build(**RELEASED)._remembered(seen, T)[0, 0, 5, 0] == pytest.approx(-1 / 6)


def test_random_attentions_are_trained_or_stay_and_are_kept_with_the_checkpoint() -> None:
    names = {f"{part}.{key}" for part in ("audio_text", "visual_text", "joint")
             for key in nn.MultiheadAttention(W, 2).state_dict()}  # fmt: skip
    for freeze in (False, True):
        cues = build(freeze_attentions=freeze)
        assert names <= trainable_state(cues).keys()
        assert names.isdisjoint(dict(cues.named_parameters())) == freeze
        cues(*inputs()).square().sum().backward()
        assert all((p.grad != 0).any() for p in cues.parameters() if p.ndim == 2)


def test_the_released_projections_have_their_sizes() -> None:
    with torch.device("meta"):
        cues = MultimodalCues(128, 768, 1024, 256, freeze_attentions=True)
    count = {n: sum(p.numel() for p in part.parameters()) for n, part in cues.named_children()}
    assert {n: c for n, c in count.items() if c} == {
        "audio_proj": 2_362_368,
        "text_proj": 3_673_088,
        "prompt_proj": 2_623_744,
    }
    assert sum(b.numel() for b in cues.buffers()) == 3 * 4_198_400
    with torch.device("meta"):
        on_sam2 = MultimodalCues(128, 768, 256, 256)
    assert sum(p.numel() for p in on_sam2.parameters()) == 21_517_568


def test_other_maps_are_brought_to_the_width() -> None:
    cues = MultimodalCues(5, 6, 7, 8, width=W, hidden_channels=12, num_heads=2)
    assert cues(torch.randn(B, T, 7, 3, 3), *inputs()[1:]).shape == (B, T, T + N + K + 2, 8)
    with pytest.raises(ValueError, match=r"audio vectors must have shape \(B, T, D\) with B = 2"):
        cues(torch.randn(B, T, 7, 3, 3), torch.randn(B, T + 1, 5), torch.randn(B, K, 6))
