"""Readings of a whole model: what changes with the sound, and what must not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict

from auralsam2.engine.evaluate import trained_model
from auralsam2.engine.probing import NO_PROMPTS, TRUE, FrameReadings, decoder_readings
from auralsam2.engine.splits import test_datasets as build_test_datasets
from auralsam2.models.decoder_rows import CannotProbeError
from auralsam2.models.methods.prompted import objects_of


@pytest.fixture(scope="module")
def one_thread_for_all() -> Any:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def readings(cfg: Any, **other: str) -> list[FrameReadings]:
    known = build_test_datasets(cfg)
    datasets = {TRUE: known["test"], **{name: known[split] for name, split in other.items()}}
    return list(decoder_readings(trained_model(cfg, None), cfg, datasets, max_clips=2))


@pytest.fixture(scope="module")
def frames(load_tiny: Any, one_thread_for_all: None) -> list[FrameReadings]:
    return readings(load_tiny(), same="test", swapped="test_audio_swapped")


def test_every_labelled_frame_is_read_at_three_sites(frames):
    assert len(frames) == 2 * 3, "two clips of three frames"
    for frame in frames:
        assert len(frame.conditions[TRUE]) == 3
        for reading in frame.conditions[TRUE]:
            heads, tokens, positions = reading.attention.shape
            assert (heads, tokens, positions) == (8, 6, len(frame.coverage))
            np.testing.assert_allclose(reading.attention.sum(-1), 1, rtol=1e-5)
            assert reading.keys.shape == (positions, reading.tokens.shape[1])


def test_an_equal_sound_has_no_effect_on_an_untrained_decoder(frames):
    for frame in frames:
        for true, same in zip(frame.conditions[TRUE], frame.conditions["same"]):
            assert np.array_equal(true.attention, same.attention)


def test_another_sound_has_an_effect_at_and_behind_its_site_only(frames):
    for frame in frames:
        for site in range(3):
            pairs = zip(frame.conditions[TRUE], frame.swapped_at["swapped", site])
            changed = [not np.array_equal(a.attention, b.attention) for a, b in pairs]
            assert changed == [b >= site for b in range(3)]


def test_without_prompts_the_mask_tokens_are_sam2_s_own(frames):
    first, *others = frames
    bare = first.conditions[NO_PROMPTS][0].tokens
    for frame in others:
        np.testing.assert_allclose(frame.conditions[NO_PROMPTS][0].tokens, bare, atol=1e-6)
    assert not np.allclose(first.conditions[TRUE][0].tokens, bare)


def test_the_coverage_is_the_mask_on_the_key_grid(tiny_config, frames):
    item = build_test_datasets(tiny_config)["test"][0]

    own = {frame.frame: frame.coverage for frame in frames if frame.clip == item["clip"]}

    for t, coverage in own.items():
        assert coverage.mean() == pytest.approx(item["masks"][t].float().mean().item(), abs=1e-6)


def equal(one, other) -> bool:
    return all(np.array_equal(a.attention, b.attention) for a, b in zip(one, other, strict=True))


def test_nothing_changes_a_deaf_model_without_prompts(deaf_config, one_thread_for_all):
    frames = readings(deaf_config, swapped="test_audio_swapped")

    assert len(frames) == 2 * 3
    for frame in frames:
        assert not frame.swapped_at
        assert all(equal(sites, frame.conditions[TRUE]) for sites in frame.conditions.values())


def prompted(cfg: Any, **changes: Any) -> Any:
    node = dict(type="PromptedSAM2", backbone=cfg.model.backbone.to_dict(), **changes)
    cfg.model = ConfigDict(node)
    return cfg


def test_boxes_are_read_object_by_object(tiny_config, one_thread_for_all):
    datasets = build_test_datasets(tiny_config)
    clips = {item["clip"]: item["masks"] for item in map(datasets["test"].__getitem__, (0, 1))}
    expected = [(clip, t) for clip, masks in clips.items() for t, m in enumerate(masks) if m.any()]

    frames = readings(prompted(tiny_config), swapped="test_audio_swapped")

    assert set(expected) == {(f.clip, f.frame) for f in frames}, "frames without truth are absent"
    for clip, t in expected:
        own = [f.coverage for f in frames if (f.clip, f.frame) == (clip, t)]
        pieces = objects_of(clips[clip][t])
        assert sorted(float(c.mean()) for c in own) == pytest.approx(
            sorted(float(piece.float().mean()) for piece in pieces)
        )
    for frame in frames:
        assert equal(frame.conditions["swapped"], frame.conditions[TRUE])
        assert not equal(frame.conditions[NO_PROMPTS], frame.conditions[TRUE])
        assert [r.attention.shape[1] for r in frame.conditions[NO_PROMPTS]] == [6] * 3
        assert frame.conditions[TRUE][0].attention.shape[1] > 6


def test_objects_carried_by_memory_are_refused(tiny_config, one_thread_for_all):
    with pytest.raises(ValueError, match="prompted_frames='first' cannot be looked into"):
        readings(prompted(tiny_config, prompted_frames="first"))


def test_masks_travel_again_behind_a_reading(tiny_config, one_thread_for_all):
    model = trained_model(tiny_config, None)
    known = build_test_datasets(tiny_config)
    datasets = {TRUE: known["test"], "swapped": known["test_audio_swapped"]}

    next(decoder_readings(model, tiny_config, datasets, max_clips=1))

    assert model.tracker.use_memory
    assert tiny_config.data.batch_size == 2


def test_a_model_that_says_nothing_is_refused():
    with pytest.raises(CannotProbeError, match="Linear has no decoder_rows"):
        next(decoder_readings(torch.nn.Linear(1, 1), None, {}))
