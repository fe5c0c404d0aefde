"""What is heard gives the model's own masks; without sound the official predictor answers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from sam2 import sam2_video_predictor
from sam2.sam2_video_predictor import SAM2VideoPredictor

from auralsam2.data.images import Resizing
from auralsam2.models.backbones.sam2.build import official_config
from auralsam2.models.backbones.sam2.sizes import SIZES
from auralsam2.predictor import AuralSAM2VideoPredictor
from auralsam2.predictor.trained import Trained


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


def official_state(images: torch.Tensor, height: int, width: int) -> dict:
    """As the official ``init_state`` makes it of a folder of JPEG files, of given pictures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            sam2_video_predictor, "load_video_frames", lambda **_: (images, height, width)
        )
        bare = SAM2VideoPredictor.__new__(SAM2VideoPredictor)
        torch.nn.Module.__init__(bare)
        bare.weight, bare.image_size = torch.nn.Parameter(torch.zeros(1)), 128
        bare._get_image_feature = lambda *_, **__: None
        return bare.init_state("pictures")


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


CLICK = dict(points=[[45, 45]], labels=[1])


def clicks_on_two(one, state, propagated) -> list[torch.Tensor]:
    """A click, a box with a click, tracking both ways, a correction, and tracking again."""
    said = [one.add_new_points_or_box(state, 3, 1, **CLICK)[2]]
    box = dict(box=[18, 28, 52, 62], points=[[30, 40]], labels=[0])
    said.append(one.add_new_points_or_box(state, 3, 2, **box)[2])
    said += propagated(one, state).values()
    said += propagated(one, state, start_frame_idx=3, reverse=True).values()
    said.append(one.add_new_points_or_box(state, 5, 1, points=[[60, 40]], labels=[0])[2])
    said += propagated(one, state, start_frame_idx=2, max_frame_num_to_track=4).values()
    return said


def a_mask(one, state, propagated) -> list[torch.Tensor]:
    """A mask, tracking, another object that is removed again, its prompts cleared."""
    mask = np.zeros((96, 112), bool)
    mask[30:60, 24:54] = True
    said = [one.add_new_mask(state, 1, "a", mask)[2]]
    said += propagated(one, state).values()
    said.append(one.add_new_points_or_box(state, 6, "b", **CLICK)[2])
    said += propagated(one, state, start_frame_idx=6).values()
    said += [masks for _, masks in one.remove_object(state, "a")[1]]
    said.append(one.clear_all_prompts_in_frame(state, 6, "b")[2])
    said.append(one.add_new_points_or_box(state, 6, "b", **CLICK)[2])
    return said + list(propagated(one, state, start_frame_idx=6, reverse=True).values())


@pytest.mark.parametrize("script", [clicks_on_two, a_mask])
@pytest.mark.parametrize("corrections", [False, True])
@pytest.mark.parametrize("sound", [False, "in bfloat16", True])
def test_without_sound_in_force_the_official_predictor_answers_bit_for_bit(
    official, predictor, shown, heard, propagated, script, corrections, sound
) -> None:
    frames = shown(8)
    answers = []
    for one in (official, predictor):
        audio = heard(8) if sound else False
        state = predictor.init_state(frames, audio=audio, memory_mb=0.5)
        if one is official:
            pixels = predictor.trained.resizing.resize_frames(frames)
            images = predictor.trained.model.normalise(torch.from_numpy(pixels))
            state = official_state(images, 96, 112)
        one.add_all_frames_to_correct_as_cond = corrections
        with torch.autocast("cpu", torch.bfloat16, enabled=sound == "in bfloat16"):
            answers.append([mask.clone() for mask in script(one, state, propagated)])
    assert len(answers[0]) > 15
    for theirs, ours in zip(*answers, strict=True):
        assert torch.equal(theirs, ours)


def test_a_weight_of_0_is_the_official_predictor_and_1_the_whole_sound(
    predictor, shown, heard, propagated
) -> None:
    frames, masks = shown(6), {}
    for weight in (None, 0.0, 0.5, 1.0):
        state = predictor.init_state(frames, audio=heard(6))
        if weight is not None:
            predictor.add_audio(state, 1, weight)
        predictor.add_new_points_or_box(state, 0, 1, **CLICK)
        masks[weight] = torch.stack([*propagated(predictor, state).values()])
    assert torch.equal(masks[None], masks[0.0])
    assert not torch.allclose(masks[0.0], masks[1.0], atol=0.1)
    assert not torch.allclose(masks[0.5], masks[1.0], atol=0.1)
    assert not torch.allclose(masks[0.5], masks[0.0], atol=0.1)


def test_a_weight_holds_for_its_object_and_its_frames(predictor, shown, heard, propagated) -> None:
    frames, sound = shown(6), heard(6)
    state = predictor.init_state(frames, audio=sound)
    predictor.add_audio(state, 1)
    predictor.add_audio(state, 2)
    full = propagated(predictor, state)
    assert torch.equal(full[3][0], full[3][1])
    predictor.set_audio_weight(state, 0.0, obj_id=2, frames=[4])
    partly = propagated(predictor, state)
    for t in range(4):
        assert torch.equal(partly[t], full[t])
    assert torch.equal(partly[4][0], full[4][0]) and not torch.equal(partly[4][1], full[4][1])
    predictor.set_audio_weight(state, 1.0)
    again = propagated(predictor, state)
    assert all(torch.equal(again[t], full[t]) for t in range(6))


def test_another_weight_gives_what_it_would_have_given_from_the_start(
    predictor, shown, heard, propagated
) -> None:
    frames, sound = shown(6), heard(6)

    def state_of(weight: float) -> dict:
        state = predictor.init_state(frames, audio=sound)
        for obj_id in (1, "b"):
            predictor.add_audio(state, obj_id, weight)
            predictor.add_new_points_or_box(state, 2, obj_id, **CLICK)
        predictor.add_audio(state, 2, weight)
        return state

    expected = propagated(predictor, state_of(0.25))
    state = state_of(1.0)
    propagated(predictor, state)
    predictor.set_audio_weight(state, 0.25)
    found = propagated(predictor, state)
    assert list(found) == list(range(6))
    assert all(torch.equal(found[t], expected[t]) for t in range(6))


@pytest.mark.parametrize("fps", [1, 5])
def test_a_frame_is_encoded_once_whatever_is_asked(
    predictor, shown, heard, propagated, fps
) -> None:
    calls = []
    hook = predictor.image_encoder.register_forward_hook(lambda *given: calls.append(given[1]))
    frames = shown(8 * fps if fps == 1 else 33)
    state = predictor.init_state(frames, audio=heard(8), fps=fps, memory_mb=0.2)
    assert not calls
    predictor.add_new_points_or_box(state, 1, 1, **CLICK)
    assert len(calls) == 1  # nothing is heard yet
    propagated(predictor, state)
    predictor.add_audio(state, 2)
    propagated(predictor, state)
    predictor.set_audio_weight(state, 0.5)
    predictor.add_new_points_or_box(state, 4, 2, **CLICK)
    propagated(predictor, state)
    propagated(predictor, state, start_frame_idx=len(frames) - 1, reverse=True)
    hook.remove()
    assert len(calls) == len(frames)
    assert all(len(given[0]) == 1 for given in calls)


def test_frames_of_a_second_hear_the_same_and_a_group_is_seen_as_a_clip(
    model, predictor, shown, heard, answer_of, propagated
) -> None:
    """At 3 frames a second, those of one place in their seconds get the prompts of a clip of 1."""
    frames, sound = shown(15), heard(5)
    state = predictor.init_state(frames, audio=sound, fps=3)
    predictor.add_audio(state, 1)
    propagated(predictor, state)
    hear = lambda s, f: s["hearing"].prompts(f, None, torch.device("cpu"))  # noqa: E731
    for place in range(3):
        clip = predictor.init_state(frames[place::3], audio=sound)
        predictor.add_audio(clip, 1)
        propagated(predictor, clip)
        for t in range(5):
            ours, alone = hear(state, 3 * t + place), hear(clip, t)
            for kind in range(2):
                for a, b in zip(ours[kind], alone[kind], strict=True):
                    torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5)


def test_windows_of_a_long_video_are_clips_of_their_own(predictor, shown, heard) -> None:
    frames, (samples, rate) = shown(12), heard(12)
    long = predictor.init_state(frames, audio=(samples, rate))
    late = predictor.init_state(frames[5:10], audio=(samples[5 * rate : 10 * rate], rate))
    rest = predictor.init_state(frames[10:], audio=(samples[10 * rate :], rate))
    encode = lambda s: lambda f: predictor._features(s, f)  # noqa: E731
    cpu = torch.device("cpu")
    with torch.inference_mode():
        for state, first, count in ((late, 5, 5), (rest, 10, 2)):
            for t in range(count):
                one = long["hearing"].prompts(first + t, encode(long), cpu)
                two = state["hearing"].prompts(t, encode(state), cpu)
                assert len(one.sparse) == len(one.dense) == 3
                for a, b in zip([*one.sparse, *one.dense], [*two.sparse, *two.dense]):
                    assert torch.equal(a, b)


@pytest.mark.parametrize(
    "changes",
    [
        {"model.tracker.test_conditioning": "middle"},
        {"model.tracker.use_memory": False},
        {"model.tracker.gate_memory": True, "evaluation.decode": "iou_occ_select"},
        {"evaluation.decode": "first"},
        {"model.injection.placement": "append"},
        {"model.sparse_prompt": None, "model.pyramid.num_levels": 2},
        {
            "model.type": "ReleasedAuralSAM2",
            "model.join_clips": True,
            "model.constant_audio_position": True,
            "model.injection.type": "ReleasedInjection",
            "model.injection.leak_into_position": True,
        },
    ],
    ids=lambda changes: "-".join(changes),
)
def test_all_ways_of_a_run_are_its_models_own(
    changes, build_mini, shown, heard, answer_of, propagated
) -> None:
    model = build_mini(**changes)
    predictor = AuralSAM2VideoPredictor(Trained(model, Resizing(128)))
    frames, sound = shown(5), heard(5)
    expected = answer_of(model, frames, sound)["mask_logits"]
    state = predictor.init_state(frames, audio=sound)
    predictor.add_audio(state, 1)
    masks = propagated(predictor, state)
    found = torch.cat([masks[t][:, 0] for t in range(5)])
    torch.testing.assert_close(found, expected, atol=2e-4, rtol=1e-3)


def test_old_outputs_come_back_where_a_late_click_asks_for_them(
    official, predictor, shown, propagated
) -> None:
    frames = shown(24)
    pixels = predictor.trained.resizing.resize_frames(frames)
    images = predictor.trained.model.normalise(torch.from_numpy(pixels))
    answers = []
    states = official_state(images, 96, 112), predictor.init_state(frames, memory_mb=0.1)
    for one, state in zip((official, predictor), states):
        one.add_all_frames_to_correct_as_cond = True
        one.add_new_points_or_box(state, 0, 1, **CLICK)
        propagated(one, state)
        said = one.add_new_points_or_box(state, 9, 1, points=[[60, 40]], labels=[0])[2]
        answers.append([said, *propagated(one, state, start_frame_idx=9).values()])
    assert all(torch.equal(a, b) for a, b in zip(*answers, strict=True))
    kept = states[1]["output_dict_per_obj"][0]["non_cond_frame_outputs"]
    assert len(kept) == 22 and len(kept._near) <= 17


def test_what_cannot_be_is_told(predictor, shown, heard, propagated) -> None:
    state = predictor.init_state(shown(3), audio=heard(3))
    with pytest.raises(RuntimeError, match="add inputs first"):
        propagated(predictor, state)
    with pytest.raises(ValueError, match="object 4 has no sound"):
        predictor.set_audio_weight(state, 1.0, obj_id=4)
    predictor.add_audio(state, 1)
    with pytest.raises(ValueError, match="frames 0 to 2"):
        predictor.set_audio_weight(state, 1.0, frames=[1, 3])
    with pytest.raises(ValueError, match="frames 0 to 2"):
        predictor.add_new_points_or_box(state, 3, 1, **CLICK)
    with pytest.raises(ValueError, match="reads no text"):
        predictor.init_state(shown(3), audio=heard(3), text="a cat")
    quiet = predictor.init_state(shown(3))
    assert not quiet["has_audio"]
    with pytest.warns(UserWarning, match="no sound that object 1 could hear"):
        predictor.add_audio(quiet, 1)
    with pytest.raises(RuntimeError, match="add inputs first"):
        propagated(predictor, quiet)
    predictor.add_new_points_or_box(quiet, 0, 2, **CLICK)
    assert list(propagated(predictor, quiet)) == [0, 1, 2] and quiet["obj_ids"] == [2]
    for start in (-1, 3):
        with pytest.raises(ValueError, match="frames 0 to 2"):
            propagated(predictor, quiet, start_frame_idx=start, reverse=True)


def test_switched_off_and_clicked_anew_an_object_begins_where_it_is_clicked(
    predictor, shown, heard, propagated
) -> None:
    frames = shown(6)
    plain = predictor.init_state(frames)
    predictor.add_new_points_or_box(plain, 2, 1, **CLICK)
    expected = propagated(predictor, plain)
    state = predictor.init_state(frames, audio=heard(6))
    predictor.add_audio(state, 1)
    propagated(predictor, state)
    predictor.set_audio_weight(state, 0.0)
    predictor.add_new_points_or_box(state, 2, 1, **CLICK)
    found = propagated(predictor, state)
    assert list(found) == list(expected) == [2, 3, 4, 5]
    assert all(torch.equal(found[t], expected[t]) for t in found)


def test_a_click_on_what_was_heard_corrects_and_stays(predictor, shown, heard, propagated) -> None:
    state = predictor.init_state(shown(8), audio=heard(8))
    predictor.add_audio(state, 1)
    before = propagated(predictor, state)
    predictor.set_audio_weight(state, 0.9)  # its beginning has to be answered anew
    _, _, clicked = predictor.add_new_points_or_box(state, 4, 1, **CLICK)
    after = propagated(predictor, state)
    assert list(after) == list(before)
    assert torch.equal(after[4], clicked) and not torch.allclose(after[4], before[4], atol=0.1)
    cond = state["output_dict_per_obj"][0]["cond_frame_outputs"]
    assert sorted(cond) == [0, 4]
    predictor.clear_all_prompts_in_frame(state, 4, 1)
    predictor.set_audio_weight(state, 1.0)
    cleared = propagated(predictor, state)
    assert all(torch.equal(cleared[t], before[t]) for t in before)


def test_a_video_of_one_frame_can_be_corrected(predictor, shown, heard, propagated) -> None:
    state = predictor.init_state(shown(1), audio=heard(1))
    predictor.add_audio(state, 1)
    propagated(predictor, state)
    _, _, corrected = predictor.add_new_points_or_box(state, 0, 1, **CLICK)
    assert corrected.isfinite().all()
    assert torch.equal(propagated(predictor, state)[0], corrected)
    predictor.close(state)


def test_what_was_forgotten_is_computed_anew(predictor, shown, heard, propagated) -> None:
    state = predictor.init_state(shown(6), audio=heard(6))
    predictor.add_audio(state, 1)
    before = propagated(predictor, state)
    predictor.forget(state, 2)
    again = propagated(predictor, state)
    assert all(torch.equal(before[t], again[t]) for t in before)


def test_a_removed_object_leaves_nothing_behind(predictor, shown, heard, propagated) -> None:
    state = predictor.init_state(shown(30), audio=heard(6), fps=5, memory_mb=64)
    predictor.add_new_points_or_box(state, 0, 2, **CLICK)
    propagated(predictor, state)
    held = state["kept"].in_memory
    predictor.add_audio(state, 1)
    propagated(predictor, state)
    assert set(predictor.scores(state, 20)) == {1, 2}
    predictor.remove_object(state, 1)
    assert state["obj_ids"] == [2] and set(predictor.scores(state, 20)) == {2}
    assert not [key for key in state["kept"]._kept if key[:2] == ("output", 1)]
    predictor.reset_state(state)
    assert state["obj_ids"] == [] and predictor.scores(state, 20) == {}
    assert {key[0] for key in state["kept"]._kept} == {"features", "prompts"}
    assert held > 0
    predictor.close(state)
    assert state["kept"].in_memory == 0


def test_a_predictor_shares_the_models_weights_and_leaves_its_settings(model, predictor) -> None:
    ours, theirs = predictor.state_dict(), model.backbone.network.state_dict()
    assert list(ours) == list(theirs)
    assert all(a.data_ptr() == b.data_ptr() for a, b in zip(ours.values(), theirs.values()))
    assert predictor.sam_mask_decoder.dynamic_multimask_via_stability
    assert not model.backbone.network.sam_mask_decoder.dynamic_multimask_via_stability


def test_a_video_without_a_sound_track_is_plain_sam2_with_a_notice(
    predictor, tmp_path, write_video, propagated
) -> None:
    with pytest.warns(UserWarning, match=r"silent.mp4' has no audio track: plain SAM2"):
        state = predictor.init_state(write_video(tmp_path / "silent.mp4", sound=False), fps=2)
    assert not state["has_audio"] and state["num_frames"] == 10 and state["fps"] == 2
    assert (state["video_height"], state["video_width"]) == (32, 48)
    predictor.add_new_points_or_box(state, 0, 1, points=[[20, 20]], labels=[1])
    assert propagated(predictor, state)[9].shape == (1, 1, 32, 48)


def test_a_video_is_heard_by_its_own_track(predictor, tmp_path, write_video, propagated) -> None:
    path = write_video(tmp_path / "ä b.mp4", seconds=6)
    masks = []
    for audio in (None, path, False):
        state = predictor.init_state(path, audio=audio, fps=1)
        assert state["has_audio"] == (audio is not False)
        if audio is not False:
            predictor.add_audio(state, 1)
            masks.append(torch.stack([*propagated(predictor, state).values()]))
        predictor.close(state)
    assert torch.equal(*masks)


def bytes_held(value, seen: set[int] | None = None) -> int:
    """Of all tensors and arrays that can be reached from a value."""
    seen = set() if seen is None else seen
    if id(value) in seen or isinstance(value, (torch.nn.Module, type)):
        return 0
    seen.add(id(value))
    if isinstance(value, torch.Tensor):
        storage = value.untyped_storage()
        key = storage.data_ptr()
        return 0 if key in seen else (seen.add(key), storage.nbytes())[1]
    if isinstance(value, np.ndarray):
        return value.nbytes
    inner = list(vars(value).values()) if hasattr(value, "__dict__") else []
    inner += [*value.values()] if isinstance(value, dict) else []
    inner += [*value] if isinstance(value, (list, tuple)) else []
    return sum(bytes_held(one, seen) for one in inner)


def test_what_is_held_does_not_grow_with_the_length(
    predictor, tmp_path, write_video, propagated
) -> None:
    held = []
    for seconds in (3, 6):
        path = write_video(tmp_path / f"{seconds}.mp4", seconds=seconds)
        state = predictor.init_state(path, memory_mb=0.1)
        predictor.add_audio(state, 1)
        for _ in predictor.propagate_in_video(state):
            pass
        assert state["num_frames"] == 10 * seconds
        assert state["kept"].in_memory <= 0.1 * 2**20
        state["images"].close()
        held.append(bytes_held(state))
    features = 131_072
    assert held[0] > 5 * features  # the latest outputs, and what is read at the moment
    assert held[1] - held[0] < features
