"""What every registered fusion must do."""

import pytest
import torch
from torch import Tensor

from auralsam2.models.fusion.base import Fusion
from auralsam2.registry import FUSIONS

B, T, N, C = 3, 4, 9, 16
NAMES = FUSIONS.names()
# Blocks that are meant to keep the modalities apart.
NOT_MIXING = {"NoFusion"}


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def fusion(name: str) -> Fusion:
    block = FUSIONS.build(dict(type=name), channels=C)
    with torch.no_grad():
        for parameter in block.parameters():
            if not parameter.any():  # a block may start as a no-op that grows with training
                parameter.normal_(std=0.5)
    return block


def _tokens(batch: int = B, frames: int = T, text: int = 0) -> tuple[Tensor, Tensor]:
    return torch.randn(batch, frames, N, C), torch.randn(batch, frames + text, C)


@pytest.mark.parametrize(("batch", "frames", "text"), [(B, T, 0), (2, T, 25), (2, 1, 0), (1, 1, 0)])
@pytest.mark.parametrize("training", [True, False])
def test_shapes_are_kept(
    fusion: Fusion, batch: int, frames: int, text: int, training: bool
) -> None:
    visual, audio = _tokens(batch, frames, text)
    out = fusion.train(training)(visual, audio)
    assert isinstance(fusion, Fusion)
    assert out.visual.shape == visual.shape and out.audio.shape == audio.shape
    assert out.visual.isfinite().all() and out.audio.isfinite().all()


def test_each_output_hears_both_modalities(fusion: Fusion, name: str) -> None:
    visual, audio = (x.requires_grad_() for x in _tokens())
    out = fusion.eval()(visual, audio)
    weights = torch.randn(C)  # a sum over normalised channels would be constant
    for own, other, result in ((visual, audio, out.visual), (audio, visual, out.audio)):
        grads = torch.autograd.grad(
            (result * weights).sum(), (own, other), allow_unused=True, retain_graph=True
        )
        assert grads[0] is not None and grads[0].abs().sum() > 0
        mixes = grads[1] is not None and bool(grads[1].abs().sum() > 0)
        assert mixes == (name not in NOT_MIXING)


@torch.no_grad()
def test_a_clip_depends_on_itself_only(fusion: Fusion) -> None:
    fusion.eval()
    visual, audio = _tokens()
    together, alone = fusion(visual, audio), fusion(visual[1:2], audio[1:2])
    torch.testing.assert_close(together.visual[1:2], alone.visual, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(together.audio[1:2], alone.audio, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_the_order_of_the_clips_does_not_matter_in_training(fusion: Fusion) -> None:
    for module in fusion.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        if isinstance(getattr(module, "dropout", None), float):
            module.dropout = 0.0
    visual, audio = _tokens()
    before, after = fusion(visual, audio), fusion(visual.flip(0), audio.flip(0))
    torch.testing.assert_close(before.visual.flip(0), after.visual, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(before.audio.flip(0), after.audio, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@torch.no_grad()
def test_half_precision_stays_close(fusion: Fusion, dtype: torch.dtype) -> None:
    fusion.eval()
    visual, audio = _tokens()
    exact = fusion(visual, audio)
    half = fusion.to(dtype)(visual.to(dtype), audio.to(dtype))
    assert half.visual.dtype == half.audio.dtype == dtype
    torch.testing.assert_close(half.visual.float(), exact.visual, atol=0.1, rtol=0.1)
    torch.testing.assert_close(half.audio.float(), exact.audio, atol=0.1, rtol=0.1)


@torch.no_grad()
def test_autocast_works_in_training(fusion: Fusion) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = fusion.train()(*_tokens())
    assert out.visual.isfinite().all() and out.audio.isfinite().all()


@torch.no_grad()
def test_silence_is_no_special_case(fusion: Fusion) -> None:
    visual, audio = _tokens()
    out = fusion.train()(visual, torch.zeros_like(audio))
    assert out.visual.isfinite().all() and out.audio.isfinite().all()


def test_every_parameter_is_trained(fusion: Fusion) -> None:
    out = fusion(*(x.requires_grad_() for x in _tokens()))
    (out.visual.square().sum() + out.audio.square().sum()).backward()
    # Parameters of a foreign state dict that a block only carries are named so.
    idle = [n for n, p in fusion.named_parameters() if p.grad is None]
    assert [n for n in idle if not n.startswith("unused_")] == []
