"""The released projection heads."""

import torch

from auralsam2.models.projector_released import ReleasedConvProjector, ReleasedRefProjector

C, D = 16, 8


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


def test_they_say_which_residual_they_read() -> None:
    assert ReleasedConvProjector.visual_source == "visual"
    assert ReleasedRefProjector.visual_source == "visual_update"
