"""What one frame hears where nothing attends."""

import pytest
import torch

from auralsam2.models.fusion.frame_audio import audio_of_frames


def test_own_token_and_the_mean_of_the_words() -> None:
    visual, audio = torch.zeros(2, 3, 4, 8), torch.randn(2, 5, 8)
    heard = audio_of_frames(visual, audio)
    assert heard.shape == (2, 3, 1, 8)
    torch.testing.assert_close(heard[1, 2, 0], audio[1, 2] + (audio[1, 3] + audio[1, 4]) / 2)


def test_without_text_the_token_itself() -> None:
    audio = torch.randn(2, 3, 8)
    assert torch.equal(audio_of_frames(torch.zeros(2, 3, 4, 8), audio)[:, :, 0], audio)


def test_widths_must_agree() -> None:
    with pytest.raises(ValueError, match="audio tokens must have shape"):
        audio_of_frames(torch.zeros(2, 3, 4, 8), torch.zeros(2, 3, 9))
