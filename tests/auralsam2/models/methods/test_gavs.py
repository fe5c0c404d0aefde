"""The sound as the one prompt token of a frozen decoder, adapters behind MLPs."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from auralsam2.models.adapters import two_layers
from auralsam2.models.methods.gavs import (
    PROMPT_CHANNELS,
    MLPAdapters,
    disturbed,
    padded,
    unpadded,
)

Build = Callable[..., Any]
Best = Callable[..., Tensor]


class Block(nn.Module):
    def __init__(self, width: int, hidden: int = 8) -> None:
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.Linear(hidden, width))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.mlp(x)


def test_a_bottleneck_behind_the_mlp_in_front_of_the_sum() -> None:
    block = Block(6)
    x = torch.randn(2, 3, 6)
    m = block.mlp(x)
    adapter = MLPAdapters([block], nn.GELU, 4).adapters[0]
    expected = x + m + adapter[2](F.gelu(adapter[0](m)))
    torch.testing.assert_close(block(x), expected)
    copied, adapters = deepcopy((block, adapter))
    nn.init.zeros_(adapters[2].weight)
    torch.testing.assert_close(copied(x), x + m + adapters[2].bias)


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_as_many_parameters_as_the_release() -> None:
    def adapters(*widths: int) -> int:
        blocks = [SimpleNamespace(mlp=nn.Sequential(nn.Linear(1, width))) for width in widths]
        return count(MLPAdapters(blocks, nn.ReLU))

    with torch.device("meta"):
        assert count(two_layers(128, PROMPT_CHANNELS, 256)) == 197_376
        assert adapters(256, 256) == 131_840
        vit = adapters(*[768] * 3)
        assert vit == 592_512
        assert 197_376 + 131_840 + vit + 2 * 4 * 768 == 927_872
        assert 197_376 + 131_840 + adapters(*[768] * 6) + 5 * 4 * 768 == 1_529_600
        assert adapters(*[576] * 8, *[1152] * 4) == 2_370_048, "the last quarter of Hiera large"


@pytest.mark.parametrize(
    ("given", "adapted"), [(0.25, 2), (0.5, 4), (3, 3), (1.0, 8), (1, 1), (0, 0)]
)
def test_the_last_blocks_of_the_encoder(build: Build, given: float, adapted: int) -> None:
    model = build("gavs", encoder_blocks=given)
    blocks = model.backbone.network.image_encoder.trunk.blocks
    assert len(model.encoder_adapters.adapters) == adapted
    trained = [all(p.requires_grad for p in (*b.norm1.parameters(), *b.norm2.parameters()))
               for b in blocks]  # fmt: skip
    assert sum(trained) == max(0, adapted - 1) and all(trained[len(blocks) - sum(trained) :])
    assert sum(p.requires_grad for p in model.backbone.parameters()) == 4 * sum(trained)


def test_an_adapter_of_the_last_stage_has_its_output_width(build: Build) -> None:
    widths = [a[0].in_features for a in build("gavs").encoder_adapters.adapters]
    assert widths == [128, 256]


def test_noise() -> None:
    audio = torch.stack([torch.zeros(1000), torch.linspace(-1, 1, 1000) + 3])
    generator = torch.Generator().manual_seed(0)
    replaced = disturbed(audio, "replace", generator)
    added = disturbed(audio, "add", generator)
    assert not replaced[0].any() and torch.equal(added[0], audio[0]), "silence has no deviation"
    deviation = float(audio[1].std())
    assert float(replaced[1].std()) == pytest.approx(deviation, rel=0.1)
    assert abs(float(replaced[1].mean())) < 0.1
    assert float((added[1] - audio[1]).std()) == pytest.approx(deviation, rel=0.1)


def test_trained_on_noise_it_does_not_hear(build: Build, clips: dict[str, Any]) -> None:
    """What is left of the sound is how much its vector deviates, which is held fixed here."""
    model = build("gavs", noise="replace").train()
    # Channels in another order: another sound of the same deviation.
    encoder = model.audio_encoder
    other = dict(clips)

    def loss(batch: dict[str, Any], order: Tensor) -> float:
        handle = encoder.register_forward_hook(lambda _, __, vectors: vectors[..., order])
        model.generator.manual_seed(0)
        with handle, torch.no_grad():
            return float(model(**batch)["loss_mask"])

    straight = torch.arange(encoder.out_channels)
    assert loss(other, straight) == pytest.approx(loss(other, straight.flip(0)), rel=1e-5)
    model.noise = "add"
    assert loss(other, straight) != pytest.approx(loss(other, straight.flip(0)), rel=1e-5)
    model.eval().noise = "replace"
    assert loss(other, straight) != pytest.approx(loss(other, straight.flip(0)), rel=1e-5)


def test_blue_in_the_place_of_red(build: Build, best: Best, clips: dict[str, Any]) -> None:
    turned = dict(clips, frames=clips["frames"].flip(2))
    ours, theirs = build("gavs", bgr_frames=True), build("gavs")
    assert torch.equal(best(ours, clips), best(theirs, turned))
    assert not torch.equal(best(ours, clips), best(theirs, clips))


def test_padded_frames_keep_their_aspect_and_masks_find_their_way_back() -> None:
    wide = torch.zeros(1, 3, 64, 64, dtype=torch.uint8)
    wide[..., 16:48, 16:48] = 255
    shown = padded(wide, 30, 60)
    assert shown.shape == wide.shape and (shown[0, :, 40, 5] == torch.tensor([124, 116, 104])).all()
    assert (shown[0, :, 10:22, 20:44] == 255).all() and not shown[..., :6, :].any()
    logits = shown[:, 0].float() - 120
    assert (unpadded(logits, 64, 30, 60)[0, 18:46, 18:46] > 0).all()
    assert (unpadded(logits, 64, 30, 60)[0, :14] < 0).all()
    assert torch.equal(padded(wide, 7, 7), wide)


def test_a_padded_method_answers_in_the_frame_of_the_data(
    build: Build, clips: dict[str, Any]
) -> None:
    truth = [torch.zeros(2, 20, 40), torch.zeros(2, 16, 16)]
    model, plain = build("gavs", padded_frames=True).eval(), build("gavs").eval()
    with torch.no_grad():
        out = model(**clips, native_masks=truth, mode="tensor").best
        square = plain(**clips, mode="tensor").best
    assert out.shape == (2, 2, 64, 64)
    large = F.interpolate(square[1:], size=(64, 64), mode="bilinear", align_corners=False)
    torch.testing.assert_close(out[1:], large, atol=1e-4, rtol=1e-4)
    assert {p[0] for p in model.named_parameters()} == {p[0] for p in plain.named_parameters()}
    assert torch.isfinite(model.train()(**clips, native_masks=truth)["loss_mask"])


def test_the_first_frames_truth_for_all(build: Build, clips: dict[str, Any]) -> None:
    first = dict(clips, supervised=torch.tensor([[True, False]] * 2))
    masks = clips["masks"][:, :1].expand(-1, 2, -1, -1)
    whole = dict(clips, masks=masks, supervised=torch.ones(2, 2, dtype=torch.bool))
    ours, theirs = build("gavs", first_truth_for_all=True), build("gavs")
    with torch.no_grad():
        given, expected, usual = ours.eval()(**first), theirs.eval()(**whole), theirs(**first)
    torch.testing.assert_close(given, expected)
    assert float(usual["loss_mask"]) != pytest.approx(float(expected["loss_mask"]))
