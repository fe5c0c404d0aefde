"""The probe reads what SDPA uses, and prompts reach only the sites behind them."""

from typing import Any

import pytest
import torch

from auralsam2.models.backbones.sam2 import decoder_call, probe
from auralsam2.models.backbones.sam2.build import build_sam2
from auralsam2.models.backbones.sam2.injection import SitePrompts
from auralsam2.models.injection import StepwiseInjection

B, K, E = 2, 6, 4


@pytest.fixture
def transformer() -> Any:
    return build_sam2("mini", "2.1", 128).sam_mask_decoder.transformer.eval()


@pytest.fixture
def call(transformer: Any) -> decoder_call.DecoderCall:
    g, c = torch.Generator().manual_seed(0), transformer.embedding_dim

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=g)

    prompts = tuple(SitePrompts(draw(B, c), draw(B, E * E, c)) for _ in range(3))
    return decoder_call.DecoderCall(
        draw(B, c, E, E), draw(B, c, E, E), draw(B, K, c), prompts, StepwiseInjection()
    )


def other_sound(call: decoder_call.DecoderCall) -> decoder_call.DecoderCall:
    prompts = tuple(SitePrompts(p.sparse + 1.0, p.dense * 0.5) for p in call.prompts)
    return call._replace(prompts=prompts)


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


def test_the_same_sound_has_no_effect(transformer, call):
    true = probe.replay(transformer, call)
    same = probe.replay(transformer, decoder_call.swap_sites(call, call))

    for a, b in zip(true, same):
        assert torch.equal(a.attention, b.attention)


@pytest.mark.parametrize("swapped", [0, 1, 2])
def test_prompts_reach_only_their_site_and_those_behind_it(transformer, call, swapped):
    true = probe.replay(transformer, call)
    found = probe.replay(transformer, decoder_call.swap_sites(call, other_sound(call), [swapped]))

    changed = [not torch.equal(a.attention, b.attention) for a, b in zip(true, found)]

    assert changed == [site >= swapped for site in range(3)]
