"""AVSBench's network: what it trains, how sound enters, and what it says besides the mask."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from auralsam2 import config
from auralsam2.engine.preflight import check_weights
from auralsam2.models.methods.tpavi_network import matching_loss

Build = Callable[..., Any]
Best = Callable[..., Tensor]


def test_everything_but_the_sound_encoder_is_trained(build: Build, clips: dict[str, Any]) -> None:
    model = build("tpavi", matching_weight=0.5).train()
    losses = model(**clips)
    assert set(losses) == {"loss_mask", "loss_dice", "loss_matching"}
    sum(losses.values()).backward()
    learns = {n for n, p in model.named_parameters() if p.grad is not None}
    assert learns == {n for n, p in model.named_parameters() if p.requires_grad}
    frozen = {n.split(".")[0] for n, _ in model.named_parameters() if n not in learns}
    assert frozen == {"audio_encoder"}
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
    answer = model.answer(clips["frames"], clips["log_mel"])
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


def test_half_precision(build: Build, clips: dict[str, Any]) -> None:
    model = build("tpavi", matching_weight=0.5).train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        total = sum(model(**clips).values())
    total.backward()
    assert total.isfinite()


def test_missing_weights_are_told_before_anything_is_read() -> None:
    cfg = config.load("methods/tpavi_v1m", {"model.audio_encoder.weights": "no_vggish.pth"})
    with pytest.raises(FileNotFoundError) as caught:
        check_weights(cfg)
    for part in ("resnet50-0676ba61.pth", "`model.image_encoder.weights`", "no_vggish.pth"):
        assert part in str(caught.value)


def test_all_wrong_arguments_are_told_at_once(build: Build) -> None:
    with pytest.raises(ValueError) as caught:
        build(
            "tpavi",
            channels=12,
            dilations=(),
            fused_stages=(0, 5),
            output_stride=3,
            matching_weight=-1.0,
            fusion=None,
        )
    for part in ("channels", "dilations", "fused_stages", "output_stride"):
        assert part in str(caught.value)
    assert "matching_weight" in str(caught.value) and "fusion is None" in str(caught.value)


def test_value_by_hand_of_two_stages() -> None:
    # The mask covers half of the frame: averages are halves of what stands under it.
    logits = torch.tensor([[[40.0, -40], [40, -40]]])
    stage = torch.zeros(1, 2, 2, 2)
    stage[0, 0, :, 0] = 2 * math.log(3)  # mean log 3: shares 3/4 and 1/4
    stage[0, 1, :, 1] = 100  # outside the mask
    audio = torch.zeros(1, 2)  # shares 1/2 and 1/2
    expected = 0.5 * math.log(0.5 / 0.75) + 0.5 * math.log(0.5 / 0.25)
    yes = torch.ones(1, dtype=torch.bool)
    assert float(matching_loss([stage], [audio], logits, yes)) == pytest.approx(expected)
    both = matching_loss([stage, stage], [audio, audio], logits, yes)
    assert float(both) == pytest.approx(2 * expected)


def test_what_is_alike_costs_nothing_and_frames_without_labels_do_not_count() -> None:
    logits = torch.full((2, 4, 4), 40.0)
    audio = torch.tensor([[1.0, 2, 3], [0, 0, 9]], requires_grad=True)
    stage = torch.tensor([1.0, 2, 3])[None, :, None, None].expand(2, 3, 2, 2)
    supervised = torch.tensor([True, False])
    loss = matching_loss([stage], [audio], logits, supervised)
    assert float(loss.detach()) == pytest.approx(0, abs=1e-6)
    loss.backward()
    assert audio.grad is not None and not audio.grad[1].any()
    assert matching_loss([stage], [audio], logits, ~supervised) > 0.3
    assert matching_loss([stage], [audio], logits, torch.zeros(2, dtype=torch.bool)) == 0
