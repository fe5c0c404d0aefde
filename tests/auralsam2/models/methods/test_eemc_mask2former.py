"""EEMC around a frozen Mask2Former."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from auralsam2.models.methods.eemc_mask2former import EEMCMask2Former, QueryAttention, read_out
from auralsam2.registry import MODELS
from tests.auralsam2.models.methods.test_eemc import Ear, Words

transformers = pytest.importorskip("transformers", reason="needs the extra [text]")

S, Q, C = 64, 7, 32


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random Mask2Former of 2 layers in the pixel decoder."""
    stages = [f"stage{i}" for i in (1, 2, 3, 4)]
    small = dict(image_size=S, embed_dim=8, depths=[1] * 4, num_heads=[1] * 4, window_size=2)
    config = transformers.Mask2FormerConfig(
        backbone_config=transformers.SwinConfig(**small, out_features=stages),
        **dict.fromkeys(("hidden_dim", "feature_size", "mask_feature_size"), C),
        **dict(num_queries=Q, num_attention_heads=4, encoder_layers=2, decoder_layers=3),
        **dict(encoder_feedforward_dim=16, dim_feedforward=16, num_labels=3),
    )
    path = tmp_path_factory.mktemp("mask2former")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        transformers.Mask2FormerForUniversalSegmentation(config).save_pretrained(path)
    return path


@pytest.fixture
def eemc(folder: Path) -> Callable[..., EEMCMask2Former]:
    def build(**changes: Any) -> EEMCMask2Former:
        torch.manual_seed(1)
        node = dict(
            type="EEMCMask2Former",
            weights=str(folder),
            audio_encoder=dict(type=Ear),
            text_encoder=dict(type=Words),
            mask_loss=dict(type="BinaryMaskLoss", loss_size=32),
            width=16,
            hidden_channels=12,
            adapter_channels=4,
            image_size=S,
        )
        return MODELS.build({**node, **changes})

    return build


def test_queries_by_hand() -> None:
    attention = QueryAttention(4, 2)
    queries, prompts = torch.randn(1, 3, 4), torch.randn(1, 1, 4)
    for weight in attention.attention.parameters():
        nn.init.zeros_(weight)
    nn.init.eye_(attention.attention.in_proj_weight[8:].detach())
    nn.init.eye_(attention.attention.out_proj.weight.detach())
    # One prompt is read as it is, and is its own mean.
    gate = 1 / (1 + torch.tensor(-1.0).exp())
    torch.testing.assert_close(attention(queries, prompts), queries + 2 * gate * prompts)


def test_the_answer_is_the_sum_of_queries_that_name_class_0() -> None:
    classes, masks = torch.randn(2, Q, 5), torch.randn(2, Q, 4, 4)
    large = F.interpolate(masks, (24, 24), mode="bilinear")
    weight = classes[..., 0].exp() / (classes[..., 0].exp() + classes[..., 4].exp())
    summed = (weight[..., None, None] * large).sum(dim=1, keepdim=True)
    expected = F.interpolate(summed, (16, 16), mode="bilinear")[:, 0]
    torch.testing.assert_close(read_out(classes, masks, 24, 16), expected, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_with_nothing_added_it_is_mask2former_itself(
    eemc: Callable[..., EEMCMask2Former], clips: dict[str, Any]
) -> None:
    model = eemc().eval()
    for adapter in model.adapters:
        assert {m.in_features for m in adapter if isinstance(m, nn.Linear)} == {4, C}
        for weight in adapter.parameters():
            nn.init.zeros_(weight)
    frames = model.normalise(clips["frames"]).flatten(0, 1)
    theirs = model.mask2former.network(pixel_values=frames)
    classes, masks = model.mask2former.answer(model.encode(clips["frames"]), lambda q: q)
    assert torch.equal(classes, theirs.class_queries_logits)
    assert torch.equal(masks, theirs.masks_queries_logits)
    other, _ = model.mask2former.answer(model.encode(clips["frames"]), lambda q: q + 1)
    assert not torch.equal(other, classes), "queries are changed for one pass"
    again = model.mask2former.network(pixel_values=frames)
    assert torch.equal(again.class_queries_logits, classes)


@torch.no_grad()
def test_a_copy_has_adapters_of_its_own(
    eemc: Callable[..., EEMCMask2Former], best: Callable[..., Tensor], clips: dict[str, Any]
) -> None:
    model = eemc()
    masks, copied = best(model, clips), deepcopy(model)
    for weight in copied.adapters.parameters():
        weight.add_(1)
    assert torch.equal(best(model, clips), masks)
    assert not torch.equal(best(copied, clips), masks)


@torch.no_grad()
def test_as_released_an_adapter_takes_the_place_of_what_attention_says(
    eemc: Callable[..., EEMCMask2Former], clips: dict[str, Any]
) -> None:
    layers = {}
    for without in (False, True):
        model = eemc(adapters_without_skip=without).eval()
        layer = model.mask2former.pixels.decoder.encoder.layers[1].self_attn
        states, args = torch.randn(1, 21, C), {}
        with layer.register_forward_pre_hook(
            lambda _, __, kwargs, args=args: args.update(kwargs), with_kwargs=True
        ):
            model(**clips, mode="tensor")
        plain = type(layer).forward(layer, **args)[0]
        layers[without] = (layer(**args)[0], plain, model.adapters[1](plain))
        del states
    said, plain, adapted = layers[False]
    assert torch.equal(said, plain + adapted)
    said, _, adapted = layers[True]
    assert torch.equal(said, adapted)


def test_it_trains_cues_adapters_and_query_attention_and_hears_and_reads(
    eemc: Callable[..., EEMCMask2Former], best: Callable[..., Tensor], clips: dict[str, Any]
) -> None:
    model = eemc()
    masks = best(model, clips)
    assert masks.shape == (2, 2, 256, 256)
    first = {k: v[:1] for k, v in clips.items()}
    torch.testing.assert_close(best(model, first), masks[:1], atol=1e-4, rtol=1e-4)
    others = [dict(clips, log_mel=clips["log_mel"] + 3), dict(clips, text=["the cat", "a horn"])]
    assert all((best(model, other) - masks).abs().max() > 1e-5 for other in others)
    losses = model.train()(**clips)
    losses["loss_mask"].backward()
    trained = {n for n, p in model.named_parameters() if p.requires_grad}
    assert trained == {n for n, p in model.named_parameters() if p.grad is not None}
    assert {n.split(".")[0] for n in trained} == {"cues", "adapters", "query_attention"}
    assert not model.mask2former.training


def test_the_released_count_of_trained_parameters() -> None:
    with torch.device("meta"):
        model = MODELS.build(
            dict(
                type="EEMCMask2Former",
                random_weights=True,
                audio_encoder=dict(type=Ear, out_channels=128),
                text_encoder=dict(type=Words, out_channels=768),
                freeze_attentions=True,
            )
        )
    count = {n: _trained(part) for n, part in model.named_children()}
    assert (count["adapters"], count["query_attention"]) == (198_528, 263_170)
    assert sum(count.values()) == _trained(model) == 9_120_898


def _trained(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


@pytest.mark.parametrize("weights", [None, "nowhere"])
def test_a_missing_folder_names_the_published_one(
    weights: str | None, eemc: Callable[..., EEMCMask2Former]
) -> None:
    with pytest.raises((FileNotFoundError, ValueError), match="mask2former-swin-base-ade-semantic"):
        eemc(weights=weights)
    with pytest.raises(ValueError, match="got both weights='x' and random_weights=True"):
        eemc(weights="x", random_weights=True)


def test_a_damaged_folder_is_told(eemc: Callable[..., EEMCMask2Former], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ValueError, match="EEMCMask2Former: cannot read"):
        eemc(weights=str(tmp_path))


def test_a_layer_that_the_file_lacks_is_told(
    eemc: Callable[..., EEMCMask2Former], folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    written = json.loads((folder / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**written, "encoder_layers": 3}))
    with pytest.raises(ValueError, match=r"does not fit the Mask2Former that .*16 missing"):
        eemc(weights=str(tmp_path))


def test_frames_of_another_size_are_refused(
    eemc: Callable[..., EEMCMask2Former], clips: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=r"frames must have shape .* S = 32, got \(2, 2, 3, 64"):
        eemc(image_size=32)(**clips)
