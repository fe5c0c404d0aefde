"""Injection by hooks: only inside its context, and at the same tokens whatever a decoder lacks."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from auralsam2.models.backbones.sam2 import probe
from auralsam2.models.backbones.sam2.injection import InjectableTwoWayTransformer
from auralsam2.models.injection import NUM_OUTPUT_TOKENS, SitePrompts, StepwiseInjection
from auralsam2.registry import BACKBONES

pytest.importorskip("transformers", reason="needs the extra `backbones`: transformers")

B, K, E = 2, NUM_OUTPUT_TOKENS + 1, 4


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def network() -> Any:
    built = BACKBONES.build(dict(type="SAMBackbone", random_weights=True), image_size=16 * E)
    with torch.no_grad():
        for i, (name, tensor) in enumerate(built.network.named_parameters()):
            tensor.copy_(0.1 * drawn(*tensor.shape, seed=i) + ("norm" in name))
    return built.network


@pytest.fixture
def call(network: Any) -> probe.DecoderCall:
    """As SAM's decoder is called: nothing stands in the place of SAM2's object token."""
    c = network.hidden_dim
    prompts = tuple(SitePrompts(drawn(B, c), drawn(B, E * E, c, seed=i)) for i in range(3))
    tokens = drawn(B, K, c)
    tokens[:, 0] = 0
    maps = drawn(B, c, E, E), drawn(B, c, E, E, seed=1)
    return probe.DecoderCall(*maps, tokens, prompts, StepwiseInjection(tokens=("iou", "mask")))


class OfSAM(StepwiseInjection):
    """Whose tokens are counted from SAM's first one."""

    def token_mask(self, num_tokens: int, device: torch.device) -> Tensor:
        return super().token_mask(num_tokens + 1, device)[1:]


def official(network: Any) -> InjectableTwoWayTransformer:
    """The official transformer with the same weights."""
    theirs = network.sam_mask_decoder.transformer
    ours = InjectableTwoWayTransformer(2, network.hidden_dim, 8, 256).eval()
    words = {"layer_norm_final_attn": "norm_final_attn", "layer_norm": "norm"}
    words |= {"mlp.lin1": "mlp.layers.0", "mlp.lin2": "mlp.layers.1"}
    state = {}
    for name, value in theirs.state_dict().items():
        for word, other in words.items():
            name = name.replace(word, other)
        state[name] = value
    ours.load_state_dict(state)
    return ours


def test_what_comes_out_is_that_of_the_official_transformer(
    network: Any, call: probe.DecoderCall
) -> None:
    theirs, ours, tokens = official(network), network.two_way, call.tokens
    for sites in (("block1", "block2", "final"), ("block2",), ("final",)):
        chosen = dict(tokens=("iou", "mask"))
        kept = [p if s in sites else SitePrompts(None, None) for p, s in
                zip(call.prompts, ("block1", "block2", "final"))]  # fmt: skip
        with torch.no_grad():
            with theirs.injecting(kept, OfSAM(**chosen)):
                expected = theirs(call.image_embedding, call.image_pe, tokens[:, 1:])
            with ours.injecting(kept, StepwiseInjection(**chosen)):
                found = ours(call.image_embedding, call.image_pe, tokens)
            plain = ours(call.image_embedding, call.image_pe, tokens)
        torch.testing.assert_close(found[0][:, 1:], expected[0], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(found[1], expected[1], rtol=1e-4, atol=1e-5)
        assert (found[0] - plain[0]).abs().max() > 1e-2


def test_outside_of_its_context_nothing_is_hooked(network: Any, call: probe.DecoderCall) -> None:
    ours, given = network.two_way, (call.image_embedding, call.image_pe, call.tokens)
    with torch.no_grad():
        before = ours(*given)
        with ours.injecting((SitePrompts(None, None),) * 3, StepwiseInjection()):
            same = ours(*given)
        with pytest.raises(RuntimeError), ours.injecting(call.prompts, call.injection):
            raise RuntimeError
        after = ours(*given)
    for one, other, last in zip(before, same, after):
        assert torch.equal(one, other) and torch.equal(one, last)
    hooks = ("_forward_hooks", "_forward_pre_hooks")
    assert not any(getattr(part, name) for part in network.modules() for name in hooks)


def test_a_token_that_is_not_there_cannot_be_chosen(network: Any) -> None:
    chosen = StepwiseInjection(tokens=("object",))
    with (
        pytest.raises(ValueError, match="no object token; choose of mask and iou"),
        network.two_way.injecting((SitePrompts(None, None),), chosen),
    ):
        pass


def test_a_probe_finds_the_tokens_in_their_usual_places(
    network: Any, call: probe.DecoderCall
) -> None:
    ours = network.two_way
    injecting = ours.injecting(call.prompts, call.injection)
    with torch.no_grad(), probe.recording(ours) as calls, injecting:
        ours(call.image_embedding, call.image_pe, call.tokens)
    (found,) = calls
    assert not probe.differ(found, call) and found.injection is call.injection
    readings = probe.replay(ours, call)
    assert len(readings) == 3
    theirs = official(network)
    injecting = theirs.injecting(call.prompts, OfSAM(tokens=("iou", "mask")))
    with probe.probing(theirs) as expected, torch.no_grad(), injecting:
        theirs(call.image_embedding, call.image_pe, call.tokens[:, 1:])
    for reading, (other,) in zip(readings, expected):
        assert reading.attention[:, :, 0].abs().max() == 0  # of the object token
        torch.testing.assert_close(
            reading.attention[:, :, 1:], other.attention, rtol=1e-3, atol=1e-5
        )
        for name in ("output", "tokens"):
            one, same = getattr(reading, name)[:, 1:], getattr(other, name)
            torch.testing.assert_close(one, same, rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(reading.keys, other.keys, rtol=1e-3, atol=1e-4)
    assert probe.without_prompts(call).tokens.shape[1] == NUM_OUTPUT_TOKENS
    bare = probe.replay(ours, probe.without_prompts(call))
    assert bare[0].attention.shape[2] == NUM_OUTPUT_TOKENS


def test_what_is_not_run_gives_back_what_it_is_given(network: Any, call: probe.DecoderCall) -> None:
    ours, given = network.two_way, (call.image_embedding, call.image_pe, call.tokens)
    with torch.no_grad(), probe.recording(ours, run=False) as calls:
        tokens, keys = ours(*given)
    assert torch.equal(tokens, call.tokens) and len(calls) == 1
    assert torch.equal(keys, call.image_embedding.flatten(2).transpose(1, 2))
