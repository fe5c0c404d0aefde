"""The contrastive projector."""

import pytest
import torch
from torch import nn

from auralsam2.models.projector import MLPProjector

C = 16


def test_embeddings_have_unit_length_over_channels() -> None:
    projector = MLPProjector(C, out_channels=6)
    visual = projector.visual(torch.randn(2, 3, 9, C))
    audio = projector.audio(torch.randn(2, 3, C))
    assert visual.shape == (2, 3, 9, 6) and audio.shape == (2, 3, 6)
    torch.testing.assert_close(visual.norm(dim=-1), torch.ones(2, 3, 9))
    torch.testing.assert_close(audio.norm(dim=-1), torch.ones(2, 3))


def test_published_size() -> None:
    head = MLPProjector(C).visual_head
    widths = [(m.in_features, m.out_features) for m in head if isinstance(m, nn.Linear)]
    assert widths == [(C, 64), (64, 64), (64, 64)]


def test_modalities_have_their_own_head() -> None:
    projector = MLPProjector(C, num_layers=2)
    residual = torch.randn(1, 2, C)
    projector.audio(residual).sum().backward()
    assert all(p.grad is None for p in projector.visual_head.parameters())
    assert all(p.grad is not None for p in projector.audio_head.parameters())


def test_no_layers_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least 1, got 0"):
        MLPProjector(C, num_layers=0)
