"""What every registered audio encoder must do."""

import pytest
import torch
from torch import Tensor, nn

from auralsam2.registry import AUDIO_ENCODERS

# Arguments without which an encoder would ask for files.
NEEDED = {"VGGish": dict(random_weights=True)}


@pytest.fixture(scope="module", params=AUDIO_ENCODERS.names())
def encoder(request: pytest.FixtureRequest) -> nn.Module:
    return AUDIO_ENCODERS.build(dict(type=request.param, **NEEDED.get(request.param, {}))).eval()


@pytest.fixture
def log_mel() -> Tensor:
    return torch.rand(1, 2, 2, 96, 64) * 7 - 4.6


@torch.no_grad()
def test_one_vector_a_frame(encoder: nn.Module, log_mel: Tensor) -> None:
    assert encoder(log_mel).shape == (1, 2, encoder.out_channels)


@torch.no_grad()
def test_ears_share_the_network_and_keep_their_order(encoder: nn.Module, log_mel: Tensor) -> None:
    left, right = encoder(log_mel).chunk(2, dim=-1)
    swapped_left, swapped_right = encoder(log_mel.flip(2)).chunk(2, dim=-1)
    torch.testing.assert_close(left, swapped_right)
    torch.testing.assert_close(right, swapped_left)
    assert not left.allclose(right)


def test_mono_is_refused(encoder: nn.Module, log_mel: Tensor) -> None:
    with pytest.raises(ValueError, match=r"log-mel must have shape \(B, T, 2, 96, 64\)"):
        encoder(log_mel[:, :, :1])
