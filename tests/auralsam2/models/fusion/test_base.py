"""Clips taken apart into frames and put together again."""

import torch

from auralsam2.models.fusion.base import join_frames, split_frames
from auralsam2.structures import FusionOutput

B, T, N, C, K = 2, 3, 4, 8, 2


def test_each_frame_gets_its_token_and_all_words() -> None:
    visual, audio = torch.randn(B, T, N, C), torch.randn(B, T + K, C)
    frames, tokens = split_frames(visual, audio)
    assert frames.shape == (B * T, 1, N, C) and tokens.shape == (B * T, 1 + K, C)
    for b in range(B):
        for t in range(T):
            assert torch.equal(frames[b * T + t, 0], visual[b, t])
            assert torch.equal(tokens[b * T + t, 0], audio[b, t])
            assert torch.equal(tokens[b * T + t, 1:], audio[b, T:])


def test_joining_is_the_inverse_and_words_become_their_mean() -> None:
    visual, audio = torch.randn(B, T, N, C), torch.randn(B, T + K, C)
    frames, tokens = split_frames(visual, audio)
    versions = tokens.clone()
    versions[:, 1:] += torch.arange(B * T)[:, None, None]  # each frame its own
    joined = join_frames(FusionOutput(frames, versions, frames, None), T)
    assert torch.equal(joined.visual, visual) and torch.equal(joined.audio[:, :T], audio[:, :T])
    assert joined.visual_update is not None and torch.equal(joined.visual_update, visual)
    assert joined.audio_update is None
    torch.testing.assert_close(joined.audio[0, T:], audio[0, T:] + 1)  # mean of 0, 1, 2
    torch.testing.assert_close(joined.audio[1, T:], audio[1, T:] + 4)
