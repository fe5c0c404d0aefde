"""What every registered fusion must do."""

import pytest
import torch
from torch import Tensor

from auralsam2.models.fusion.base import Fusion
from auralsam2.registry import FUSIONS
from auralsam2.signature import parameters_of

B, T, N, C = 3, 4, 9, 16
NAMES = [n for n in FUSIONS.names() if FUSIONS.lookup(n).__module__.startswith("auralsam2.")]
SCOPED = [n for n in NAMES if "scope" in parameters_of(FUSIONS.lookup(n)).known]


def build(name: str, **arguments: object) -> Fusion:
    torch.manual_seed(0)
    block = FUSIONS.build(dict(type=name, **arguments), channels=C)
    with torch.no_grad():
        for parameter in block.parameters():
            if not parameter.any():  # a block may start as a no-op that grows with training
                parameter.normal_(std=0.5)
    return block


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def fusion(name: str) -> Fusion:
    return build(name)


def _tokens(batch: int = B, frames: int = T, text: int = 0) -> tuple[Tensor, Tensor]:
    return torch.randn(batch, frames, N, C), torch.randn(batch, frames + text, C)


def _without_dropout(fusion: Fusion) -> Fusion:
    for module in fusion.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        if isinstance(getattr(module, "dropout", None), float):
            module.dropout = 0.0
    return fusion


def test_all_blocks_are_here() -> None:
    assert {
        *("TwoWayTPAVIFusion", "ReleasedTPAVIFusion", "TPAVIFusion", "TwoWayCrossAttentionFusion"),
        *("CrossAttentionFusion", "ConcatMLPFusion", "FiLMFusion", "BilinearFusion", "NoFusion"),
    } <= set(NAMES)


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
    for update, like in ((out.visual_update, visual), (out.audio_update, audio)):
        assert update is None or update.shape == like.shape


@pytest.mark.parametrize("text", [0, 3])
def test_what_each_output_depends_on(fusion: Fusion, text: int) -> None:
    visual, audio = (x.requires_grad_() for x in _tokens(text=text))
    out = fusion.eval()(visual, audio)
    weights = torch.randn(C)  # a sum over normalised channels would be constant
    for own, other, result, mixes in (
        (visual, audio, out.visual, fusion.hears),
        (audio, visual, out.audio, fusion.sees),
    ):
        grads = torch.autograd.grad(
            (result * weights).sum(), (own, other), allow_unused=True, retain_graph=True
        )
        assert grads[0] is not None and grads[0].abs().sum() > 0
        reached = grads[1] is not None and bool(grads[1].abs().sum() > 0)
        assert reached == mixes
        if mixes:  # every frame and, where heard, every word
            assert grads[1] is not None and grads[1].abs().sum(dim=-1).min() > 0
    assert fusion.sees or out.audio is audio


@torch.no_grad()
def test_a_clip_depends_on_itself_only(fusion: Fusion) -> None:
    fusion.eval()
    visual, audio = _tokens()
    together, alone = fusion(visual, audio), fusion(visual[1:2], audio[1:2])
    torch.testing.assert_close(together.visual[1:2], alone.visual, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(together.audio[1:2], alone.audio, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_the_order_of_the_clips_does_not_matter_in_training(fusion: Fusion) -> None:
    _without_dropout(fusion)
    visual, audio = _tokens()
    before, after = fusion(visual, audio), fusion(visual.flip(0), audio.flip(0))
    torch.testing.assert_close(before.visual.flip(0), after.visual, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(before.audio.flip(0), after.audio, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_the_same_seed_gives_the_same_answer(fusion: Fusion, name: str) -> None:
    tokens = _tokens()
    answers = []
    for block in (fusion, build(name)):
        torch.manual_seed(5)  # of the dropout
        answers.append(block.train()(*tokens))
    assert torch.equal(answers[0].visual, answers[1].visual)
    assert torch.equal(answers[0].audio, answers[1].audio)


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


def test_autocast_trains(fusion: Fusion) -> None:
    visual, audio = (x.requires_grad_() for x in _tokens())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = fusion.train()(visual, audio)
    (out.visual.float().square().sum() + out.audio.float().square().sum()).backward()
    for gradient in (visual.grad, audio.grad, *(p.grad for p in fusion.parameters())):
        assert gradient is None or gradient.isfinite().all()


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


def test_blocks_that_mix_have_parameters_and_others_none(fusion: Fusion) -> None:
    count = sum(p.numel() for p in fusion.parameters())
    assert (count > 0) is (fusion.hears or fusion.sees)


@torch.no_grad()
def test_alone_or_by_its_scope_a_frame_hears_its_own_audio_only(name: str) -> None:
    fusion = build(name, **({"scope": "frame"} if name in SCOPED else {})).eval()
    visual, audio = _tokens(text=2)
    before = fusion(visual, audio)
    for changed, reached in ((1, [1]), (T, list(range(T)))):  # a frame's token, a word
        louder = audio.clone()
        louder[:, changed] += torch.randn(C)
        difference = (fusion(visual, louder).visual - before.visual).abs().amax(dim=(0, 2, 3))
        found = (difference > 1e-6).nonzero().flatten().tolist()
        assert found == (reached if fusion.hears else [])


@pytest.mark.parametrize("name", SCOPED)
@torch.no_grad()
def test_in_the_scope_of_a_clip_every_frame_hears_all_of_it(name: str) -> None:
    fusion = build(name, scope="clip").eval()
    visual, audio = _tokens()
    louder = audio.clone()
    louder[:, 1] += torch.randn(C)
    difference = fusion(visual, louder).visual - fusion(visual, audio).visual
    assert difference.abs().amax(dim=(0, 2, 3)).min() > 1e-6


@pytest.mark.parametrize("name", SCOPED)
@torch.no_grad()
def test_scopes_agree_on_a_single_frame(name: str) -> None:
    clip, frame = (_without_dropout(build(name, scope=s)) for s in ("clip", "frame"))
    visual, audio = _tokens(frames=1, text=2)
    for one, other in zip(clip(visual, audio), frame(visual, audio)):
        assert (one is None and other is None) or torch.equal(one, other)


@pytest.mark.parametrize("name", SCOPED)
def test_unknown_scope(name: str) -> None:
    with pytest.raises(ValueError, match=rf"{name}: .*scope='video'; known: clip, frame"):
        FUSIONS.build(dict(type=name, scope="video"), channels=C)


def test_shapes_are_checked_at_the_door(fusion: Fusion) -> None:
    if not fusion.hears:
        pytest.skip("nothing is read")
    with pytest.raises(ValueError, match="audio tokens must have shape"):
        fusion(*_tokens(batch=2)[:1], torch.randn(3, T, C))
