"""What every registered audio encoder must do."""

import pytest
import torch
from torch import Tensor, nn

from auralsam2.registry import AUDIO_ENCODERS
from auralsam2.signature import parameters_of
from auralsam2.structures import Hearing

# Those that ask for files unless they are told to go without.
NEEDED = {
    name: dict(random_weights=True)
    for name in AUDIO_ENCODERS.names()
    if "random_weights" in parameters_of(AUDIO_ENCODERS.lookup(name)).known
}


@pytest.fixture(scope="module", params=AUDIO_ENCODERS.names())
def encoder(request: pytest.FixtureRequest) -> nn.Module:
    if hasattr(AUDIO_ENCODERS.lookup(request.param), "waveform_rate"):
        pytest.importorskip("transformers", reason="needs the extra [text]")
    return AUDIO_ENCODERS.build(dict(type=request.param, **NEEDED.get(request.param, {}))).eval()


@pytest.fixture
def log_mel(encoder: nn.Module) -> Tensor:
    shape = Hearing(waveform_rate=getattr(encoder, "waveform_rate", None)).shape
    loud = torch.tensor([1.0, 0.2]).view(2, *[1] * (len(shape) - 1))
    return torch.rand(1, 2, *shape) * (7 * loud) - 4.6 * loud


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


def test_ears_that_were_not_asked_for_are_refused(encoder: nn.Module, log_mel: Tensor) -> None:
    with pytest.raises(ValueError, match=r"must have shape \(B, T, 2, (96, 64|\d+)\)"):
        encoder(log_mel[:, :, :1])


@torch.no_grad()
def test_one_ear_has_the_weights_of_both(encoder: nn.Module, log_mel: Tensor) -> None:
    name = type(encoder).__name__
    node = dict(type=name, channels="mean", **NEEDED.get(name, {}))
    mono = AUDIO_ENCODERS.build(node).eval()
    mono.load_state_dict(encoder.state_dict())
    assert 2 * mono.out_channels == encoder.out_channels
    left, right = encoder(log_mel).chunk(2, dim=-1)
    torch.testing.assert_close(mono(log_mel[:, :, :1]), left)
    torch.testing.assert_close(mono(log_mel[:, :, 1:]), right)
    with pytest.raises(ValueError, match=r"\(B, T, 1, (96, 64|\d+)\)"):
        mono(log_mel)
    with pytest.raises(ValueError, match=f"{name}: unknown channels='left'; known: both, mean"):
        AUDIO_ENCODERS.build({**node, "channels": "left"})
