"""Clips that are clicked on in a batch have the masks of the interactive predictor."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from auralsam2.data.audio import log_mel_examples
from auralsam2.models.backbones.promptable import Points
from auralsam2.models.methods.base import ClipBatch

CLICKS = [(2, 45.0, 45.0, 1), (0, 100.0, 80.0, 0), (2, 50.0, 40.0, 1)]
"""Frame, x and y at the size of the pictures, label."""


@pytest.mark.parametrize("heard_too", [True, False])
def test_clicks_one_after_the_other(
    model, predictor, shown, heard, propagated, monkeypatch: pytest.MonkeyPatch, heard_too: bool
) -> None:
    predictor.add_all_frames_to_correct_as_cond = True
    frames, sound = shown(5), heard(5)
    state = predictor.init_state(frames, audio=sound if heard_too else False)
    if heard_too:
        predictor.add_audio(state, 1)
        propagated(predictor, state)
    # Memories of what is clicked or not heard are rounded to save room.
    monkeypatch.setattr(torch, "bfloat16", torch.float32)
    pixels = predictor.trained.resizing.resize_frames(frames)
    batch = ClipBatch(
        torch.from_numpy(pixels)[None],
        torch.from_numpy(log_mel_examples(*sound, 5))[None],
        torch.zeros(1, 5, 128, 128),
        torch.ones(1, 5, dtype=torch.bool),
        ["shown"],
    )
    with torch.no_grad():
        (clip,) = model.interactions(batch, heard=heard_too)
    height, width = frames[0].shape[:2]
    given: dict[int, list] = {}
    for frame, x, y, label in CLICKS:
        given.setdefault(frame, []).append((x * 128 / width, y * 128 / height, label))
        coords = torch.tensor([[click[:2] for click in given[frame]]])
        labels = torch.tensor([[click[2] for click in given[frame]]], dtype=torch.int32)
        with torch.no_grad():
            before = clip.answer().best
            clip.click(frame, Points(coords, labels))
            mine = clip.answer().best
        assert not torch.equal(mine, before)
        new = dict(points=[[x, y]], labels=[label], clear_old_points=False)
        predictor.add_new_points_or_box(state, frame, 1, **new)
        theirs = propagated(predictor, state, **({"start_frame_idx": 0} if heard_too else {}))
        if not heard_too:
            theirs |= propagated(predictor, state, reverse=True)
        expected = torch.cat([theirs[t][:, 0] for t in range(5)])
        size = (height, width)
        found = F.interpolate(mine, size=size, mode="bilinear", align_corners=False)[0]
        torch.testing.assert_close(found, expected, atol=2e-3, rtol=1e-3)


def test_corrections_of_an_object_whose_sound_is_off_are_official(
    predictor, shown, heard, propagated
) -> None:
    predictor.add_all_frames_to_correct_as_cond = True
    answers = []
    for audio in (heard(5), False):
        state = predictor.init_state(shown(5), audio=audio)
        if audio:
            predictor.add_audio(state, 1, weight=0.0)
        for frame, x, y, label in CLICKS:
            new = dict(points=[[x, y]], labels=[label], clear_old_points=False)
            predictor.add_new_points_or_box(state, frame, 1, **new)
            found = propagated(predictor, state, start_frame_idx=0)
        answers.append(torch.cat([found[frame] for frame in sorted(found)]))
    assert torch.equal(*answers)
