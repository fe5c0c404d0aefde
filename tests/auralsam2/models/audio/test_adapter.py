"""Audio vectors to the fuser's width."""

import pytest
import torch

from auralsam2.models.audio.adapter import AudioAdapter


def test_equal_widths_need_nothing() -> None:
    adapter, audio = AudioAdapter(8, 8), torch.randn(2, 3, 8)
    assert adapter(audio) is audio and not list(adapter.parameters())


def test_other_widths_are_mapped() -> None:
    assert AudioAdapter(8, 6)(torch.randn(2, 3, 8)).shape == (2, 3, 6)


def test_the_encoder_must_keep_its_word() -> None:
    with pytest.raises(ValueError, match="with D = 8, got"):
        AudioAdapter(8, 6)(torch.randn(2, 3, 7))
