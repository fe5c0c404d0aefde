"""SAM2 whose image encoder hears."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from auralsam2.models.backbones.promptable import Points
from auralsam2.models.backbones.sam2.build import official_config
from auralsam2.models.backbones.sam2.sizes import SIZES
from auralsam2.models.decode import EMPTY_LOGIT
from auralsam2.models.methods.base import ClipBatch
from auralsam2.models.methods.sama_avs import AudioAdapters
from auralsam2.models.methods.single_mask import single_mask

Build = Callable[..., Any]
WIDTHS = (4, 4, 8)


class Block(nn.Module):
    def __init__(self, dim: int, dim_out: int) -> None:
        super().__init__()
        self.proj = nn.Linear(dim, dim_out).requires_grad_(False)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.proj(tokens)


def adapted() -> tuple[nn.Sequential, AudioAdapters]:
    torch.manual_seed(0)
    encoder = nn.Sequential(*(Block(*sizes) for sizes in ((4, 4), (4, 8), (8, 8))))
    return encoder, AudioAdapters(list(encoder), WIDTHS, audio_channels=5, hidden_channels=3)


def by_hand(encoder: nn.Sequential, adapters: AudioAdapters, x: Tensor, audio: Tensor) -> Tensor:
    for block, own, width in zip(encoder, adapters.own, WIDTHS, strict=True):
        x = block.proj(x + adapters.shared[str(width)](F.gelu(own(audio)))[:, None, None])
    return x


def test_the_sound_is_added_everywhere_in_front_of_every_block() -> None:
    encoder, adapters = adapted()
    tokens, audio = torch.randn(2, 6, 6, 4), torch.randn(2, 5)
    plain = encoder(tokens)
    with adapters.hearing(audio):
        torch.testing.assert_close(encoder(tokens), by_hand(encoder, adapters, tokens, audio))
        assert not torch.equal(encoder(tokens), plain)
    assert torch.equal(encoder(tokens), plain), "deaf outside of the context"


def test_a_copy_has_adapters_of_its_own() -> None:
    encoder, adapters = deepcopy(adapted())
    nn.init.ones_(adapters.shared["4"].bias)
    tokens, audio = torch.randn(2, 6, 6, 4), torch.randn(2, 5)
    with adapters.hearing(audio):
        torch.testing.assert_close(encoder(tokens), by_hand(encoder, adapters, tokens, audio))


def test_an_error_inside_leaves_the_encoder_deaf() -> None:
    encoder, adapters = adapted()
    tokens = torch.randn(1, 2, 2, 4)
    plain = encoder(tokens)
    with pytest.raises(RuntimeError), adapters.hearing(torch.randn(1, 5)):
        raise RuntimeError
    assert torch.equal(encoder(tokens), plain)


def test_gradient_passes_the_frozen_blocks() -> None:
    encoder, adapters = adapted()
    audio = torch.randn(2, 5, requires_grad=True)
    with adapters.hearing(audio):
        encoder(torch.randn(2, 6, 6, 4)).square().sum().backward()
    assert audio.grad is not None and audio.grad.any()
    assert all(p.grad is not None and p.grad.any() for p in adapters.parameters())
    assert all(p.grad is None for p in encoder.parameters())


def test_it_starts_small_and_not_at_zero() -> None:
    torch.manual_seed(0)
    adapters = AudioAdapters([], (256, 512), audio_channels=128)
    for layer in (*adapters.own, *adapters.shared.values()):
        assert float(layer.weight.detach().std()) == pytest.approx(0.02, rel=0.02)
        assert not layer.bias.any()


def hiera_widths(size: str) -> list[int]:
    """Width of the tokens that enter each block of an official trunk."""
    trunk = official_config(SIZES[size], "2.0").image_encoder.trunk
    stages = trunk.get("stages", [2, 3, 16, 3])
    widths = [trunk.embed_dim * 2**i for i, blocks in enumerate(stages) for _ in range(blocks)]
    return [widths[0], *widths[:-1]]


@pytest.mark.parametrize(
    ("widths", "count"),
    [
        (hiera_widths("large"), 4_278_384),
        (hiera_widths("base_plus"), 2_446_992),
        ([1280] * 32, 2_770_176),
    ],
)
def test_as_many_parameters_as_the_release(widths: list[int], count: int) -> None:
    with torch.device("meta"):
        adapters = AudioAdapters([], widths, audio_channels=128)
    assert sum(p.numel() for p in adapters.parameters()) == count


def test_blocks_of_sam2_get_the_width_of_their_input(build: Build) -> None:
    model = build("sama_avs")
    blocks = model.backbone.network.image_encoder.trunk.blocks
    assert model.adapters.widths == (32, 32, 64, 64, 128, 128, 128, 128) and len(blocks) == 8
    assert model.backbone.state_dict().keys() == build("unprompted").backbone.state_dict().keys()


def test_blocks_that_are_computed_again_give_the_same_gradients(
    build: Build, clips: dict[str, Any]
) -> None:
    def gradients(**switch: bool) -> tuple[float, dict[str, Tensor], int]:
        model = build("sama_avs", **switch).train()
        calls = []
        block = model.backbone.network.image_encoder.trunk.blocks[3].mlp
        handle = block.register_forward_pre_hook(lambda *_: calls.append(1))
        loss = sum(model(**clips).values())
        loss.backward()
        handle.remove()
        named = model.named_parameters()
        return loss.item(), {n: p.grad for n, p in named if p.grad is not None}, len(calls)

    loss, kept, once = gradients()
    again, anew, twice = gradients(gradient_checkpointing=True)
    assert (once, twice) == (1, 2) and loss == pytest.approx(again) and kept.keys() == anew.keys()
    for name, gradient in kept.items():
        torch.testing.assert_close(anew[name], gradient, msg=name)


def test_what_the_release_draws_anew(build: Build) -> None:
    def parts(**switches: bool) -> tuple[Tensor, Tensor]:
        prompts = build("sama_avs", **switches).backbone.network.sam_prompt_encoder
        return prompts.pe_layer.positional_encoding_gaussian_matrix, prompts.no_mask_embed.weight

    code, no_mask = parts()
    drawn, kept = parts(random_position_code=True)
    assert not torch.equal(code, drawn) and torch.equal(no_mask, kept)
    kept, drawn = parts(random_no_mask=True)
    assert torch.equal(code, kept) and not torch.equal(no_mask, drawn)
    assert 0.7 < float(drawn.detach().std()) < 1.3, "standard normal"


@torch.no_grad()
def test_a_click_corrects_its_own_frame(build: Build, clips: dict[str, Any]) -> None:
    """With the sound all frames have masks before it, without the sound none has."""
    model, batch = build("sama_avs").eval(), ClipBatch(**clips)
    own = model(**clips, mode="tensor")
    centre = Points(torch.tensor([[[20.5, 25.5]]]), torch.ones(1, 1, dtype=torch.int32))
    for heard in (True, False):
        clip = model.interactions(batch, heard)[1]
        before = clip.answer()
        if heard:
            torch.testing.assert_close(before.best[0], own.best[1], atol=1e-4, rtol=1e-4)
            torch.testing.assert_close(before.ious[0], own.ious[1], atol=1e-4, rtol=1e-4)
        else:
            assert (before.best == EMPTY_LOGIT).all()
        clip.click(1, centre)
        after = clip.answer()
        assert torch.equal(after.best[0, 0], before.best[0, 0])
        assert not torch.equal(after.best[0, 1], before.best[0, 1])
        alone = model.interactions(batch, heard)[1]
        previous = alone.previous(1)
        prompt = single_mask(alone.network, alone.frame_maps(1), points=centre, masks=previous).best
        assert (previous is not None) == heard and torch.equal(prompt[0], after.best[0, 1])
