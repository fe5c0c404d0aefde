"""AVSBench's network: what it trains, how sound enters, and what it says besides the mask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from auralsam2.models.methods.base import ClipBatch
from auralsam2.models.methods.tpavi_network import TPAVINetwork

Build = Callable[..., Any]
Best = Callable[..., Tensor]


def test_losses_do_not_hang_on_the_order_of_clips(build: Build, clips: dict[str, Any]) -> None:
    model = build("tpavi", matching_weight=0.5).train()
    losses = model(**clips)
    assert set(losses) == {"loss_mask", "loss_dice", "loss_matching"}
    flipped = {k: v.flip(0) if isinstance(v, Tensor) else v[::-1] for k, v in clips.items()}
    for name, value in model(**flipped).items():
        torch.testing.assert_close(value, losses[name], atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("stage", [1, 2, 3, 4])
def test_sound_enters_at_each_stage(
    build: Build, best: Best, clips: dict[str, Any], stage: int
) -> None:
    model = build("tpavi", fused_stages=(stage,))
    louder = dict(clips, log_mel=clips["log_mel"] + 3)
    assert (best(model, clips) - best(model, louder)).abs().max() > 1e-4
    answer = model.answer(ClipBatch(**clips))
    side = 64 // 2 ** (stage + 1)
    assert [m.shape for m in answer.fused] == [(4, 24, side, side)]
    assert [a.shape for a in answer.audio] == [(4, 24)]


def test_a_fusion_that_does_not_mix_leaves_it_deaf(
    build: Build, best: Best, clips: dict[str, Any]
) -> None:
    model = build("tpavi", fusion=dict(type="NoFusion"))
    louder = dict(clips, log_mel=clips["log_mel"] + 3)
    assert torch.equal(best(model, clips), best(model, louder))


@pytest.mark.parametrize(("stride", "side"), [(1, 64), (2, 32), (4, 16)])
def test_side_of_the_answer(
    build: Build, best: Best, clips: dict[str, Any], stride: int, side: int
) -> None:
    assert best(build("tpavi", output_stride=stride), clips).shape == (2, 2, side, side)


@torch.no_grad()
def test_what_an_inplace_relu_does_to_the_answer(build: Build, clips: dict[str, Any]) -> None:
    intended, released = build("tpavi").eval(), build("tpavi", inplace_relu=True).eval()
    assert intended.state_dict().keys() == released.state_dict().keys()
    batch = ClipBatch(**clips)
    ours, theirs = intended.answer(batch), released.answer(batch)
    assert all(torch.equal(t, o.relu()) for o, t in zip(ours.fused, theirs.fused, strict=True))
    assert ours.fused[0].min() < 0 and (ours.logits - theirs.logits).abs().max() > 1e-4
    assert torch.equal(ours.audio[0], theirs.audio[0])


def test_classes_are_told_apart(build: Build, clips: dict[str, Any]) -> None:
    loss = dict(type="SemanticMaskLoss")
    model = build("tpavi", num_classes=4, mask_loss=loss, matching_weight=0.5).train()
    semantic = clips["masks"].clone()
    semantic[0] *= 3
    prediction = model(**clips, mode="tensor")
    assert prediction.class_logits.shape == (2, 2, 4, 16, 16)
    foreground = prediction.class_logits.argmax(dim=2) != 0
    assert torch.equal(prediction.best > 0, foreground)
    losses = model(**clips, semantic=semantic)
    assert set(losses) == {"loss_mask", "loss_matching"}
    sum(losses.values()).backward()
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)


@pytest.mark.parametrize("training", [True, False])
@torch.no_grad()
def test_frames_that_fill_a_clip_up_are_silent_and_empty(
    build: Build, clips: dict[str, Any], training: bool
) -> None:
    model = build("tpavi", fusion=dict(type="TPAVIFusion")).train(training)
    padded = torch.tensor([[False, True], [False, False]])
    other = dict(clips, log_mel=clips["log_mel"].clone(), frames=clips["frames"].clone())
    other["log_mel"][0, 1] += 3
    other["frames"][0, 1] = 255
    one, two = (model.answer(ClipBatch(**c, padded=padded)) for c in (clips, other))
    assert torch.equal(one.logits, two.logits) and not one.logits[0, 1].any()
    assert all(not level[1].any() for level in one.fused)
    assert one.logits[0, 0].any() and one.logits[1].any()


@pytest.mark.parametrize(
    ("encoder", "backbone", "used"),
    [
        (dict(type="ResNetStages"), 23_508_032, 69_337_857),
        (dict(type="PVTv2Stages"), 81_443_008, 101_320_577),
    ],
    ids=["ResNet-50", "PVT-v2-b5"],
)
def test_trained_parameters_are_those_of_the_release(
    encoder: dict[str, Any], backbone: int, used: int
) -> None:
    """69.3 and 101.32 million, of which 1.18 million stand in a unit that nothing uses."""
    nodes = dict(
        image_encoder=encoder,
        audio_encoder=dict(type="LogMelCNN", out_channels=128, frozen=True),
        mask_loss=None,
        fusion=dict(type="TPAVIFusion"),
    )
    counts = []
    with torch.device("meta"):
        for unused in (True, False):
            model = TPAVINetwork(**nodes, unused_parameters=unused)
            counts.append(sum(p.numel() for p in model.parameters() if p.requires_grad))
    assert counts == [used, used - 1_180_160]
    assert sum(p.numel() for p in model.image_encoder.parameters()) == backbone
