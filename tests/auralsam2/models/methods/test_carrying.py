"""Masks that memory carries, against the official class's own loop over frames."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from auralsam2.models.backbones.sam2.network import PromptableSAM2
from auralsam2.models.backbones.sam2_backbone import SAM2Backbone
from auralsam2.models.methods.carrying import carry_masks

T, S, START = 5, 64, 2


@pytest.fixture(scope="module")
def network() -> PromptableSAM2:
    backbone = SAM2Backbone(size="mini", checkpoint="builtin://sam2-mini", image_size=S)
    return backbone.network.eval()


def official(network: PromptableSAM2, maps: list[Tensor], mask: Tensor) -> list[Tensor]:
    """Low-resolution masks as the official video predictor steps through a clip, both ways."""
    bank: dict[str, dict[int, Any]] = {"cond_frame_outputs": {}, "non_cond_frame_outputs": {}}
    masks: dict[int, Tensor] = {}
    for t in (START, *range(START + 1, T), *range(START - 1, -1, -1)):
        features = [m[t : t + 1] for m in maps]
        positions = network.position_maps(1)
        out = network.track_step(
            frame_idx=t,
            is_init_cond_frame=t == START,
            current_vision_feats=[f.flatten(2).permute(2, 0, 1) for f in features],
            current_vision_pos_embeds=positions * 3,
            feat_sizes=[tuple(f.shape[-2:]) for f in features],
            point_inputs=None,
            mask_inputs=mask if t == START else None,
            output_dict=bank,
            num_frames=T,
            track_in_reverse=t < START,
        )
        masks[t] = out["pred_masks"][0, 0]
        if t == START:  # before it propagates, the predictor encodes what it was given once more
            out["maskmem_features"], out["maskmem_pos_enc"] = network._encode_new_memory(
                current_vision_feats=[maps[2][t : t + 1].flatten(2).permute(2, 0, 1)],
                feat_sizes=[tuple(maps[2].shape[-2:])],
                pred_masks_high_res=network.upsample(out["pred_masks"]),
                object_score_logits=out["object_score_logits"],
                is_mask_from_pts=True,
            )
        kind = "cond_frame_outputs" if t == START else "non_cond_frame_outputs"
        bank[kind][t] = out
    return [masks[t] for t in range(T)]


@torch.no_grad()
def test_a_mask_is_carried_both_ways_as_the_official_predictor_does(network: Any) -> None:
    frames = torch.randn(T, 3, S, S, generator=torch.Generator().manual_seed(1))
    maps = network.decoder_features(network.raw_pyramid(frames))
    mask = torch.zeros(1, 1, S, S)
    mask[..., 16:40, 8:32] = 1
    ours = carry_masks(network, maps, START, mask)
    for t, expected in enumerate(official(network, maps, mask)):
        torch.testing.assert_close(ours[t].best[0, 0], expected, atol=1e-3, rtol=1e-4)
    assert (ours[START].best > 0).float().mean() == pytest.approx(24 * 24 / S**2, abs=0.01)


@torch.no_grad()
def test_objects_do_not_see_each_other(network: Any) -> None:
    frames = torch.randn(3, 3, S, S, generator=torch.Generator().manual_seed(2))
    maps = network.decoder_features(network.raw_pyramid(frames))
    masks = torch.zeros(2, 1, S, S)
    masks[0, :, 8:24, 8:24] = masks[1, :, 30:60, 20:50] = 1
    both = carry_masks(network, maps, 0, masks)
    for k in range(2):
        alone = carry_masks(network, maps, 0, masks[k : k + 1])
        for t in range(3):
            torch.testing.assert_close(both[t].best[k], alone[t].best[0], atol=1e-3, rtol=1e-4)
