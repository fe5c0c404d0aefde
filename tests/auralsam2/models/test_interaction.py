"""Corrected clips, against the official predictor and against the models' own masks."""

from __future__ import annotations

from typing import Any

import pytest
import sam2.sam2_video_predictor as official
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from torch import Tensor

from auralsam2.models.backbones.promptable import Points
from auralsam2.models.backbones.sam2.build import _settings, official_config
from auralsam2.models.backbones.sam2.network import PromptableSAM2
from auralsam2.models.backbones.sam2.sizes import SIZES
from auralsam2.models.backbones.sam2_backbone import SAM2Backbone
from auralsam2.models.interaction import ClickedClip
from auralsam2.models.methods.base import ClipBatch

T, S = 4, 64


def points(*clicks: tuple[float, float, int]) -> Points:
    coords = torch.tensor([[click[:2] for click in clicks]])
    return Points(coords, torch.tensor([[click[2] for click in clicks]], dtype=torch.int32))


@pytest.fixture(scope="module")
def network() -> PromptableSAM2:
    backbone = SAM2Backbone(size="mini", checkpoint="builtin://sam2-mini", image_size=S)
    return backbone.network.eval()


def official_predictor(network: PromptableSAM2) -> Any:
    """Upstream's class as its builder makes it, that remembers what is corrected."""
    config = official_config(SIZES["mini"], "2.1")
    settings = {**SIZES["mini"].overrides, **_settings(S)}
    settings["_target_"] = "sam2.sam2_video_predictor.SAM2VideoPredictor"
    settings["add_all_frames_to_correct_as_cond"] = True
    settings["sam_mask_decoder_extra_args.dynamic_multimask_via_stability"] = True
    for path, value in settings.items():
        OmegaConf.update(config, path, value, force_add=True)
    predictor = instantiate(config, _recursive_=True).eval()
    predictor.load_state_dict(network.state_dict())
    return predictor


def moving_square() -> Tensor:
    """(T, 3, S, S) normalised frames of a light square on a dark ground."""
    frames = 0.1 * torch.randn(T, 3, S, S, generator=torch.Generator().manual_seed(1)) - 1
    for t in range(T):
        frames[t, :, 10 + 6 * t : 30 + 6 * t, 12:34] += 2
    return frames


STEPS = [
    (2, [(22.5, 30.5, 1)]),  # the first frame that is clicked: nothing is remembered
    (0, [(22.5, 20.5, 1)]),  # one that has been answered backwards
    (2, [(22.5, 30.5, 1), (50.5, 10.5, 0)]),  # several clicks ask for the single-mask output
    (3, [(50.5, 50.5, 0)]),
]


@torch.no_grad()
def test_clicks_without_sound_are_answered_as_the_official_predictor_does(
    network: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames, predictor = moving_square(), official_predictor(network)
    monkeypatch.setattr(official, "load_video_frames", lambda **_: (frames, S, S))
    monkeypatch.setattr(official, "tqdm", lambda frames, **_: frames)
    # It rounds memories to save room.
    monkeypatch.setattr(torch, "bfloat16", torch.float32)
    state = predictor.init_state("a video")
    ours = ClickedClip(network, network.decoder_features(network.raw_pyramid(frames)))
    assert bool((ours.answer().best < -1000).all()), "nothing before the first click"
    for frame, clicks in STEPS:
        ours.click(frame, points(*clicks))
        given = points(*clicks)
        predictor.add_new_points_or_box(state, frame, 1, given.coords, given.labels)
        theirs = {}
        for reverse in (False, True):
            for t, _, masks in predictor.propagate_in_video(state, reverse=reverse):
                theirs[t] = masks[0, 0]
        mine = network.upsample(ours.answer().best[0][:, None])[:, 0]
        assert (mine > 0).any() and not (mine > 0).all()
        torch.testing.assert_close(
            mine, torch.stack([theirs[t] for t in range(T)]), atol=2e-3, rtol=1e-3
        )


@torch.no_grad()
def test_with_sound_the_tracker_s_masks_until_a_click(switch_bench: Any) -> None:
    model, data = switch_bench.build({"tracker.use_memory": True}), switch_bench.batch()
    own = model.eval()(**data, mode="tensor")
    clips = model.interactions(ClipBatch(**data), heard=True)
    for i, clip in enumerate(clips):
        for mine, theirs in zip(clip.answer().tensors, own.tensors, strict=True):
            torch.testing.assert_close(mine[0], theirs[i], atol=1e-4, rtol=1e-4)
    before, other = clips[0].answer().best, clips[1].answer().best
    clips[0].click(1, points((8.5, 8.5, 1)))
    changed = (clips[0].answer().best != before).flatten(2).any(-1)[0]
    assert changed[1:].all(), "the clicked frame and those that remember it"
    assert torch.equal(clips[1].answer().best, other)


@torch.no_grad()
def test_a_model_that_hears_nothing_is_clicked_on_without_sound(switch_bench: Any) -> None:
    deaf = switch_bench.build({"sparse_prompt": None, "dense_prompt": None})
    assert not deaf.hears and switch_bench.build({}).hears
