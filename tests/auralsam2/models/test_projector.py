"""The published and the released projection heads."""

import pytest
import torch
from torch import nn

from auralsam2.models.projector import MLPProjector, ReleasedConvProjector, ReleasedRefProjector

C, D = 16, 8


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
    fused = torch.randn(1, 2, C)
    projector.audio(fused).sum().backward()
    assert all(p.grad is None for p in projector.visual_head.parameters())
    assert all(p.grad is not None for p in projector.audio_head.parameters())


def test_no_layers_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least 1, got 0"):
        MLPProjector(C, num_layers=0)


def test_conv_heads_are_linear_but_for_the_last_normalisation() -> None:
    projector = ReleasedConvProjector(C, D).eval()
    one, other = torch.randn(2, 1, 2, 9, C)
    head = projector.visual_head
    middle = head((one + other).flatten(1, 2) / 2)
    torch.testing.assert_close(
        middle, (head(one.flatten(1, 2)) + head(other.flatten(1, 2))) / 2, atol=1e-5, rtol=1e-5
    )
    torch.testing.assert_close(projector.visual(one).norm(dim=-1), torch.ones(1, 2, 9))
    torch.testing.assert_close(projector.audio(one[:, :, 0]).norm(dim=-1), torch.ones(1, 2))


def test_conv_heads_update_their_statistics_once_a_level() -> None:
    projector = ReleasedConvProjector(C, D).train()
    for _ in range(3):
        projector.visual(torch.randn(1, 2, 9, C))
    assert int(projector.visual_head[1].num_batches_tracked) == 3
    assert int(projector.audio_head[1].num_batches_tracked) == 0


def test_ref_heads_normalise_positions_as_released_and_channels_where_corrected() -> None:
    update = torch.randn(1, 2, 9, C)
    released = ReleasedRefProjector(C, D)
    torch.testing.assert_close(released.visual(update).norm(dim=2), torch.ones(1, 2, D))
    corrected = ReleasedRefProjector(C, D, normalise_positions=False)
    torch.testing.assert_close(corrected.visual(update).norm(dim=3), torch.ones(1, 2, 9))
    torch.testing.assert_close(released.audio(update[:, :, 0]).norm(dim=-1), torch.ones(1, 2))
