"""What is heard gives the model's own masks; without sound the official predictor answers."""

from __future__ import annotations

import copy

import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from sam2.sam2_video_predictor import SAM2VideoPredictor

from auralsam2.models.backbones.sam2.build import official_config
from auralsam2.models.backbones.sam2.sizes import SIZES


@pytest.fixture(scope="module")
def official(model) -> SAM2VideoPredictor:
    """As ``build_sam2_video_predictor`` makes it, of the mini size and with our weights."""
    spec = SIZES["mini"]
    config = official_config(spec, "2.1")
    settings = {
        "_target_": "sam2.sam2_video_predictor.SAM2VideoPredictor",
        "sam_mask_decoder_extra_args.dynamic_multimask_via_stability": True,
        "sam_mask_decoder_extra_args.dynamic_multimask_stability_delta": 0.05,
        "sam_mask_decoder_extra_args.dynamic_multimask_stability_thresh": 0.98,
        "binarize_mask_from_pts_for_mem_enc": True,
        "fill_hole_area": 0,  # the compiled extension that fills them is not installed
        "image_size": spec.image_size,
    }
    for path, value in {**spec.overrides, **settings}.items():
        OmegaConf.update(config, path, value, force_add=True)
    predictor = instantiate(config, _recursive_=True).eval()
    predictor.load_state_dict(model.backbone.network.state_dict())
    return predictor


def official_state(official, predictor, frames) -> dict:
    """Of the pictures as the run sees them: as the official one reads them only JPEG files."""
    ours = predictor.init_state(frames, audio=False)
    state = copy.copy(ours)
    pixels = predictor.trained.resizing.resize_frames(frames)
    state["images"] = predictor.trained.model.normalise(torch.from_numpy(pixels))
    return state


def test_what_is_heard_gives_the_models_own_masks(
    model, predictor, shown, heard, answer_of, propagated
) -> None:
    frames, sound = shown(5), heard(5)
    expected = answer_of(model, frames, sound)
    state = predictor.init_state(frames, audio=sound)
    predictor.add_audio(state, 7)
    masks = propagated(predictor, state)
    assert list(masks) == [0, 1, 2, 3, 4] and state["obj_ids"] == [7]
    found = torch.cat([m[:, 0] for m in masks.values()])
    torch.testing.assert_close(found, expected["mask_logits"], atol=1e-4, rtol=1e-4)
    assert found.abs().max() > 0.5
    for t in range(5):
        iou, score = predictor.scores(state, t)[7]
        assert iou == pytest.approx(float(expected["ious"][t].max()), abs=1e-5)
        assert score == pytest.approx(float(expected["object_score_logits"][t]), abs=1e-4)


def test_without_sound_the_official_predictor_answers_bit_for_bit(
    official, predictor, shown, propagated
) -> None:
    frames = shown(8)
    states = official_state(official, predictor, frames), predictor.init_state(frames, audio=False)
    answers = []
    for one, state in zip((official, predictor), states):
        _, _, clicked = one.add_new_points_or_box(state, 2, 1, points=[[45, 45]], labels=[1])
        answers.append([clicked.clone(), *propagated(one, state).values()])
    for theirs, ours in zip(*answers, strict=True):
        assert torch.equal(theirs, ours)
