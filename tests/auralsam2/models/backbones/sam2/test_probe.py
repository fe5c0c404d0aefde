"""What the decoder is given: recorded, exchanged, taken away, joined; and what SDPA uses of it."""

from typing import Any

import pytest
import torch

from auralsam2.models.backbones.promptable import Points
from auralsam2.models.backbones.sam2 import probe
from auralsam2.models.backbones.sam2.build import build_sam2
from auralsam2.models.decoder_rows import CannotProbeError
from auralsam2.models.injection import SitePrompts, StepwiseInjection

B, K, E = 2, 6, 4


@pytest.fixture(scope="module")
def network() -> Any:
    return build_sam2("mini", "2.1", 64).eval()


@pytest.fixture
def transformer(network: Any) -> Any:
    return network.sam_mask_decoder.transformer


@pytest.fixture
def call(transformer: Any) -> probe.DecoderCall:
    g, c = torch.Generator().manual_seed(0), transformer.embedding_dim

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=g)

    prompts = tuple(SitePrompts(draw(B, c), draw(B, E * E, c)) for _ in range(3))
    return probe.DecoderCall(
        draw(B, c, E, E), draw(B, c, E, E), draw(B, K, c), prompts, StepwiseInjection()
    )


def test_recording_gives_back_what_the_decoder_was_given(transformer, call):
    with (
        probe.recording(transformer) as calls,
        transformer.injecting(call.prompts, call.injection),
    ):
        transformer(call.image_embedding, call.image_pe, call.tokens)
    (found,) = calls

    assert torch.equal(found.tokens, call.tokens)
    assert torch.equal(found.image_embedding, call.image_embedding)
    assert found.injection is call.injection
    for own, theirs in zip(found.prompts, call.prompts):
        assert torch.equal(own.sparse, theirs.sparse) and torch.equal(own.dense, theirs.dense)


def test_prompt_tokens_enter_at_the_first_site(call):
    other = call._replace(tokens=call.tokens + 1)

    assert torch.equal(probe.swap_sites(call, other, [0]).tokens, other.tokens)
    assert torch.equal(probe.swap_sites(call, other, [1, 2]).tokens, call.tokens)
    assert torch.equal(probe.swap_sites(call, other).tokens, other.tokens)
    assert torch.equal(probe.swap_sites(call, other).image_embedding, call.image_embedding)


def test_calls_of_two_models_do_not_mix(call):
    with pytest.raises(ValueError, match="6 and 7 tokens, prompts for 3 and 0 sites"):
        probe.swap_sites(
            call, call._replace(tokens=torch.zeros(B, 7, call.tokens.shape[2]), prompts=())
        )


def decode(network: Any, **prompts: Any) -> probe.DecoderCall:
    c, decoder = network.hidden_dim, network.sam_mask_decoder
    features = torch.randn(1, c, E, E, generator=torch.Generator().manual_seed(1))
    fine = [torch.zeros(1, c // 8, 4 * E, 4 * E), torch.zeros(1, c // 4, 2 * E, 2 * E)]
    recording = probe.recording(decoder.transformer, network.sam_prompt_encoder)
    with torch.no_grad(), recording as calls:
        network.decode(features, fine, **prompts)
    return calls[0]


def test_without_prompts_every_prompt_is_gone(network):

    bare = decode(network)
    box = Points(torch.tensor([[[4.0, 4.0], [40.0, 40.0]]]), torch.tensor([[2, 3]]))
    rough = torch.randn(1, 1, 4 * E, 4 * E, generator=torch.Generator().manual_seed(2)) * 10
    for prompts in (
        {"points": box},
        {"pad_point": True},
        {"masks": rough, "pad_point": True},
        {"extra_tokens": torch.ones(1, 2, network.hidden_dim)},
        {},
    ):
        prompted = decode(network, **prompts)
        assert probe.differ(prompted, bare) == bool(prompts)
        found = probe.without_prompts(prompted)
        torch.testing.assert_close(found.image_embedding, bare.image_embedding)
        torch.testing.assert_close(found.tokens, bare.tokens)
        assert found.prompts == () and found.injection is None
    assert decode(network, masks=rough).mask_prompt is not None


def test_what_is_not_run_is_recorded_all_the_same(transformer, call):
    given = (call.image_embedding, call.image_pe, call.tokens)
    before = transformer(*given)[0]
    with probe.recording(transformer, run=False) as calls:
        tokens, keys = transformer(*given)
    assert torch.equal(calls[0].tokens, call.tokens) and torch.equal(tokens, call.tokens)
    assert keys.shape == (B, E * E, transformer.embedding_dim)
    assert torch.equal(transformer(*given)[0], before)


def test_calls_go_through_together(transformer, call):
    other = call._replace(tokens=call.tokens + 1, prompts=call.prompts[::-1])
    both = probe.join_calls([call, other])
    apart = probe.select_rows(both, [2, 3])

    assert not probe.differ(apart, other) and apart.injection is call.injection
    one = probe.replay(transformer, other)[-1].attention
    torch.testing.assert_close(probe.replay(transformer, both)[-1].attention[2:], one)
    with pytest.raises(CannotProbeError, match="different numbers of tokens"):
        probe.join_calls([call, call._replace(tokens=call.tokens[:, :3])])


def test_a_difference_anywhere_is_found(call):
    assert not probe.differ(call, call._replace(tokens=call.tokens.clone()))
    changed = [*call.prompts[:2], SitePrompts(call.prompts[2].sparse + 1, None)]
    for other in (
        call._replace(image_embedding=call.image_embedding + 1),
        call._replace(prompts=tuple(changed)),
        call._replace(prompts=()),
    ):
        assert probe.differ(call, other)


def test_weights_are_those_of_the_attention_that_ran(transformer, call):
    site = transformer.layers[0].cross_attn_token_to_image
    values: list[torch.Tensor] = []
    handle = site.v_proj.register_forward_hook(lambda m, a, out: values.append(out))
    reading = probe.replay(transformer, call)[0]
    handle.remove()

    v = values[0].unflatten(-1, (site.num_heads, -1)).transpose(1, 2)
    read = (reading.attention @ v).transpose(1, 2).flatten(2)

    torch.testing.assert_close(site.out_proj(read), reading.output, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(reading.attention.sum(-1), torch.ones(B, site.num_heads, K))


def test_probing_changes_neither_outputs_nor_gradients(transformer, call):
    def run() -> tuple[torch.Tensor, torch.Tensor]:
        tokens = call.tokens.clone().requires_grad_()
        out = transformer(call.image_embedding, call.image_pe, tokens)[0]
        out.square().sum().backward()
        return out.detach(), tokens.grad

    plain = run()
    with probe.probing(transformer) as readings:
        probed = run()

    for a, b in zip(plain, probed):
        assert torch.equal(a, b)
    assert [len(found) for found in readings] == [1, 1, 1]
    assert not any(m._forward_hooks for m in transformer.modules())
