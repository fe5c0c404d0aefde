"""What every method keeps, whatever it does inside; built as the shipped configs say."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from auralsam2 import config
from auralsam2.engine.checkpoint import load_trained, save_state
from auralsam2.engine.hooks.checkpoint_hooks import trainable_state
from auralsam2.engine.preflight import check_weights
from auralsam2.models.methods.base import ClipMethod
from auralsam2.registry import MODELS

Build = Callable[..., Any]
Best = Callable[..., Tensor]

MINI = re.compile(r"methods/(.+)_mini_(v1m|ref_avs)")
NAMES = {found[1]: n for n in config.names("methods") if (found := MINI.fullmatch(n))}
# As released, EEMC reads along the clips of a batch.
MIXING = ("released/eemc",)
METHODS = [n for n in NAMES if n not in MIXING and not n.startswith(("audio_token", "adapter"))]
# Has no mini size: it wants a Mask2Former in a folder.
REAL_ONLY = {"EEMCMask2Former"}
DECODER = "backbone.network.sam_mask_decoder."
TRUNK = "backbone.network.image_encoder.trunk.blocks.7.norm"
TRAINED = {
    "av_sam": ("fusion.", "mask_prompt.", DECODER),
    "gavs": ("audio_prompt.", "decoder_adapters.", "encoder_adapters.", TRUNK),
    "sama_avs": ("adapters.", DECODER, "backbone.network.sam_prompt_encoder.no_mask_embed."),
    "eemc": ("cues.",),
    "avsegformer": ("head.", "image_encoder.", "audio_projection."),
    "tpavi": ("image_encoder.", "necks.", "fusions.", "steps.", "head."),
}
# Parts of a trained decoder that supervision of one mask does not reach.
_SINGLE_MASK = ("iou_prediction_head", "pred_obj_score_head", "output_hypernetworks_mlps")
UNREACHED = {"av_sam": _SINGLE_MASK, "sama_avs": _SINGLE_MASK}
BATCH_NORM = ("running_mean", "running_var", "num_batches_tracked")
DEAF = ("prompted", "unprompted")
# Of a method, what its node has besides, and its items.
HALF = [(name, {}, {}) for name in TRAINED] + [
    ("tpavi", {"matching_weight": 0.5}, {}),
    ("translated", {"num_classes": 3}, {"sources": torch.ones(2, 3)}),
]
TRACKER = dict(type="MemoryTracker")
# Of a method, arguments that cannot be, and what is told of all of them at once.
WRONG: list[tuple[str, dict[str, Any], str]] = [
    (
        "prompted",
        dict(prompt="bos", prompted_frames="last", jitter=-1.0, tracker=TRACKER),
        "prompt='bos'; known: box, click, mask; .*prompted_frames='last'.*jitter=-1.0; "
        "tracker must be None",
    ),
    *(
        (
            "gavs",
            dict(noise="on", encoder_blocks=blocks, feature_cache_mb=1),
            f"noise='on'; known: off, add, replace; .*encoder_blocks={blocks}; feature_cache_mb",
        )
        for blocks in (-1, 1.5)
    ),
    (
        "sama_avs",
        dict(hidden_channels=0, feature_cache_mb=10),
        "hidden_channels must be at least 1, got 0; feature_cache_mb must be 0",
    ),
    ("av_sam", dict(tracker=TRACKER), "AVSAM: tracker must be None, frames are images"),
    (
        "avsegformer",
        dict(image_encoder=None, audio_encoder=None),
        "image_encoder must name a component, got None; audio_encoder must name",
    ),
    (
        "tpavi",
        dict(
            **dict(image_encoder=None, fusion=None, channels=1, num_classes=1),
            **dict(matching_weight=-1.0, dilations=(), head_channels=(8,), fused_stages=(0, 5)),
            **dict(output_stride=3, matching_reduction="sum"),
        ),
        "image_encoder must name .*; fusion must name .*; channels must be at least 2, got 1; "
        "num_classes must .*; matching_weight must be at least 0.*; dilations must .*; "
        "head_channels must be 2 numbers.*; fused_stages must .*; "
        "unknown output_stride=3; known: 1, 2, 4; unknown matching_reduction='sum'",
    ),
    (
        "translated",
        dict(rule="x", sound_threshold=3, num_classes=0, detector=None, tracker=TRACKER,
             mask_loss=dict(type="SAM2MaskLoss")),
        "unknown rule='x'.*sound_threshold must .*num_classes must .*detector must name .*; "
        "tracker is of no use here.*mask_loss is of no use here",
    ),
]  # fmt: skip


def select(data: dict[str, Any], index: list[int]) -> dict[str, Any]:
    return {
        k: v[index] if isinstance(v, Tensor) else [v[i] for i in index] for k, v in data.items()
    }


def step(model: Any, data: dict[str, Any]) -> None:
    """One step of training."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    sum(model.train()(**data).values()).backward()
    torch.optim.AdamW(parameters, lr=1e-3).step()
    model.zero_grad()


def test_every_registered_method_has_a_config_at_both_sizes() -> None:
    known = {n for n in MODELS.names() if issubclass(MODELS.lookup(n), ClipMethod)}
    # AuralSAM2 has configs of its own, as published and as released.
    known -= {"AuralSAM2", "ReleasedAuralSAM2"}
    sizes: dict[bool, set[str]] = {True: set(REAL_ONLY), False: set()}
    for name in config.names("methods"):
        if "/released/" not in name:
            sizes[MINI.fullmatch(name) is not None].add(config.load(name).model.type)
    assert known <= sizes[True] and known <= sizes[False]


def test_other_methods_hear_the_mean_of_both_ears_as_released() -> None:
    asked = {n: config.load(n).model.get("audio_encoder") for n in config.names("methods")}
    hear = {n: node.get("channels") for n, node in asked.items() if node is not None}
    assert {*hear.values()} == {"mean"}, hear


@pytest.mark.parametrize("method", METHODS)
def test_answers_are_whole_and_clips_never_mix(
    method: str, build: Build, clips: dict[str, Any]
) -> None:
    model = build(method).eval()
    truth = [torch.zeros(2, 60, 90), torch.zeros(2, 48, 48)]
    with torch.no_grad():
        both = model(**clips, mode="tensor")
        swapped = model(**select(clips, [1, 0]), mode="tensor")
        alone = model(**select(clips, [1]), mode="tensor")
        results = model(**clips, native_masks=truth, mode="predict")
    side = both.best.shape[-1]
    assert both.mask_logits.shape == (2, 2, 3, side, side) and both.ious.shape == (2, 2, 3)
    assert both.object_score_logits.shape == (2, 2, 1) and both.best.shape == (2, 2, side, side)
    for ours, other, single in zip(both.tensors, swapped.tensors, alone.tensors):
        assert torch.isfinite(ours).all()
        torch.testing.assert_close(ours.flip(0), other, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(ours[1:], single, atol=1e-4, rtol=1e-4)
    assert [tuple(r["mask_logits"].shape) for r in results] == [(2, 60, 90), (2, 48, 48)]


@pytest.mark.parametrize("method", METHODS)
def test_a_clip_of_one_frame(method: str, build: Build, best: Best, clips: dict[str, Any]) -> None:
    one = {k: v[:, :1] if isinstance(v, Tensor) else v for k, v in clips.items()}
    assert best(build(method), one).shape[:2] == (2, 1)


@pytest.mark.parametrize("method", DEAF)
def test_deaf_methods_train_nothing_and_do_not_listen(
    method: str, build: Build, best: Best, clips: dict[str, Any]
) -> None:
    model = build(method)
    assert not any(p.requires_grad for p in model.parameters())
    louder = dict(clips, log_mel=clips["log_mel"] + 3)
    assert torch.equal(best(model, clips), best(model, louder))
    with pytest.raises(ValueError, match="mask_loss=None; set it to"):
        model(**clips)


@pytest.mark.parametrize("method", TRAINED)
def test_training_changes_what_it_should_and_the_method_hears(
    method: str, build: Build, best: Best, clips: dict[str, Any]
) -> None:
    model = build(method)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    trained = {n for n, p in model.named_parameters() if p.requires_grad}
    assert all(n.startswith(TRAINED[method]) for n in trained)
    assert all(any(n.startswith(part) for n in trained) for part in TRAINED[method])
    losses = model.train()(**clips)
    assert "loss_mask" in losses
    sum(losses.values()).backward()
    reached = {n for n, p in model.named_parameters() if p.grad is not None}
    assert reached <= trained
    assert all(any(part in n for part in UNREACHED.get(method, ())) for n in trained - reached)
    step(model, clips)
    changed = {k for k, v in model.state_dict().items() if not torch.equal(v, before[k])}
    counted = {k for k in changed if k.endswith(BATCH_NORM)}
    assert changed - counted <= trained and len(changed - counted) > len(trained) / 2
    louder = dict(clips, log_mel=clips["log_mel"] + 3)
    assert (best(model, clips) - best(model, louder)).abs().max() > 1e-5


@pytest.mark.parametrize("method", TRAINED)
def test_a_checkpoint_brings_the_whole_method_back(
    method: str, build: Build, best: Best, clips: dict[str, Any], tmp_path: Path
) -> None:
    source, target = build(method), build(method)
    step(source, clips)
    step(source, clips)
    state, path = trainable_state(source), tmp_path / "best.safetensors"
    parameters = {n for n, _ in source.named_parameters()}
    assert parameters & state.keys() == {n for n, p in source.named_parameters() if p.requires_grad}
    save_state(state, path)
    assert not torch.equal(best(source, clips), best(target, clips))
    load_trained(target, path)
    assert torch.equal(best(source, clips), best(target, clips))
    incomplete = {k: v for k, v in state.items() if not k.startswith(TRAINED[method][0])}
    save_state(incomplete, path)
    with pytest.raises(ValueError, match="does not fit the config's model: .* missing"):
        load_trained(target, path)


@pytest.mark.parametrize(("method", "changes", "items"), HALF)
def test_half_precision(
    method: str,
    changes: dict[str, Any],
    items: dict[str, Any],
    build: Build,
    clips: dict[str, Any],
) -> None:
    model = build(method, **changes).train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        total = sum(model(**select({**clips, **items}, [0])).values())
    total.backward()
    assert torch.isfinite(total)


@pytest.mark.parametrize(("method", "wrong", "told"), WRONG)
def test_all_wrong_arguments_are_told_at_once(
    method: str, wrong: dict[str, Any], told: str, build: Build
) -> None:
    with pytest.raises(ValueError, match=told):
        build(method, **wrong)


@pytest.mark.parametrize(
    ("name", "changes", "told"),
    [
        ("al_ref_sam2", {}, ["set `model.choices` to a JSON file"]),
        ("translated_files", {}, ["`model.detector.path`", "`model.sound_classifier.path`"]),
        (
            "tpavi",
            {"model.audio_encoder.weights": "no_vggish.pth"},
            ["resnet50-0676ba61.pth", "`model.image_encoder.weights`", "no_vggish.pth"],
        ),
    ],
)
def test_missing_files_are_told_before_anything_is_read(
    name: str, changes: dict[str, Any], told: list[str]
) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        check_weights(config.load(f"methods/{name}_v1m", changes))
    assert all(part in str(caught.value) for part in told)


def test_an_unknown_mode(build: Build, clips: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="unknown mode='train'; known: loss, predict, tensor"):
        build("unprompted")(**clips, mode="train")
