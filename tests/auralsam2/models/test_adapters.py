"""Audio vectors and hidden states of a text to the fuser's width."""

import pytest
import torch
from torch import nn

from auralsam2.models.adapters import AudioAdapter, TextAdapter, check_expressions


def test_equal_widths_need_nothing() -> None:
    adapter, audio = AudioAdapter(8, 8), torch.randn(2, 3, 8)
    assert adapter(audio) is audio and not list(adapter.parameters())


def test_other_widths_are_mapped() -> None:
    assert AudioAdapter(8, 6)(torch.randn(2, 3, 8)).shape == (2, 3, 6)


def test_the_encoder_must_keep_its_word() -> None:
    with pytest.raises(ValueError, match="with D = 8, got"):
        AudioAdapter(8, 6)(torch.randn(2, 3, 7))


def test_two_layers_around_a_gelu() -> None:
    adapter = TextAdapter(12, 8, hidden_channels=20)
    assert [type(m) for m in adapter.proj] == [nn.Linear, nn.GELU, nn.Linear]
    assert adapter(torch.randn(2, 5, 12)).shape == (2, 5, 8)


def test_another_width_is_told() -> None:
    with pytest.raises(ValueError, match="text hidden states"):
        TextAdapter(12, 8)(torch.randn(2, 5, 11))


@pytest.mark.parametrize("text", [None, [], ["one"]])
def test_every_clip_needs_an_expression(text: list[str] | None) -> None:
    with pytest.raises(ValueError, match=r"for 2 clip\(s\)"):
        check_expressions(text, 2)
    check_expressions(["one", "two"], 2)
