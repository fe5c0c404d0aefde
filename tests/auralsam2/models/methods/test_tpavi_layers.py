"""Neck, sound in a stage and decoder of AVSBench's network."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from auralsam2.models.methods.tpavi_layers import (
    DilatedNeck,
    MaskHead,
    RefineStep,
    ResidualUnit,
    StageFusion,
)

TPAVI = dict(type="TPAVIFusion")


def test_the_neck_is_a_sum_over_dilations() -> None:
    neck, x = DilatedNeck(3, 64, (1, 2)), torch.randn(2, 3, 5, 5)
    torch.testing.assert_close(neck(x), neck.convs[0](x) + neck.convs[1](x))
    assert [float(c.weight.detach().std()) for c in neck.convs] == pytest.approx(
        [0.01] * 2, rel=0.1
    )


@torch.no_grad()
def test_an_inplace_relu_takes_what_is_negative_from_the_sum() -> None:
    intended, released = ResidualUnit(4), ResidualUnit(4, inplace_relu=True)
    released.load_state_dict(intended.state_dict())
    x = torch.randn(2, 4, 3, 3)
    before = x.clone()
    torch.testing.assert_close(intended(x) - released(x), x.clamp(max=0))
    assert torch.equal(x, before)  # the maps that others read are left alone
    positive = x.abs()
    torch.testing.assert_close(intended(positive), released(positive))


def test_the_coarsest_step_owns_an_unused_unit_only_where_asked() -> None:
    names = [n for n, _ in RefineStep(4, coarsest=True).named_parameters()]
    assert {n.split(".")[0] for n in names} == {"out"}
    released = RefineStep(4, coarsest=True, unused_parameters=True)
    assert sum(p.numel() for p in released.parameters()) == 2 * sum(
        p.numel() for p in RefineStep(4, coarsest=True).parameters()
    )
    stage, coarser = torch.randn(1, 4, 4, 4), torch.randn(1, 4, 2, 2)
    step = RefineStep(4)
    up = F.interpolate(coarser, size=(4, 4), mode="bilinear", align_corners=True)
    torch.testing.assert_close(step(stage, coarser), step.out(up + step.skip(stage)))


def test_only_the_last_enlargement_lets_corners_go() -> None:
    head = MaskHead(2, (4, 3), num_logits=5)
    x = torch.randn(1, 2, 4, 4)
    inner = head.first(F.interpolate(x, size=(8, 8), mode="bilinear", align_corners=True))
    wide = F.interpolate(inner, size=(16, 16), mode="bilinear", align_corners=False)
    out = head(x, 8, 16)
    assert out.shape == (1, 5, 16, 16)
    torch.testing.assert_close(out, head.last(F.relu(head.second(wide))))


@torch.no_grad()
def test_clips_are_fused_whole_or_in_pieces() -> None:
    whole, halves = StageFusion(6, 8, TPAVI), StageFusion(6, 8, TPAVI, num_frames=2)
    halves.load_state_dict(whole.state_dict())
    stage, vectors = torch.randn(8, 8, 3, 3), torch.randn(2, 4, 6)
    fused, audio = halves.eval()(stage, vectors)
    apart = [
        whole.eval()(stage[2 * i : 2 * i + 2], vectors.reshape(4, 1, 2, 6)[i]) for i in range(4)
    ]
    torch.testing.assert_close(fused, torch.cat([f for f, _ in apart]))
    torch.testing.assert_close(audio, whole.align(vectors).flatten(0, 1))
    assert (whole(stage, vectors)[0] - fused).abs().max() > 1e-3
    with pytest.raises(ValueError, match="3 frames cannot be cut into pieces of 2"):
        halves(stage[:6], vectors[:, :3])


def test_the_alignment_may_have_no_bias() -> None:
    assert StageFusion(6, 8, TPAVI, align_bias=False).align.bias is None
    assert sum(p.numel() for p in StageFusion(128, 256, TPAVI).parameters()) == 165_760
