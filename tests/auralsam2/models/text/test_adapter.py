"""From hidden states to tokens."""

import pytest
import torch
from torch import nn

from auralsam2.models.text.adapter import TextAdapter, check_expressions


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
