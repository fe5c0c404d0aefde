"""Readings of a whole model: what changes with the sound, and what must not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from auralsam2.engine.evaluate import test_datasets as build_test_datasets
from auralsam2.engine.evaluate import trained_model
from auralsam2.engine.probing import NO_PROMPTS, TRUE, FrameReadings, read_frames


@pytest.fixture(scope="module")
def one_thread_for_all() -> Any:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def readings(cfg: Any, **other: str) -> list[FrameReadings]:
    known = build_test_datasets(cfg)
    datasets = {TRUE: known["test"], **{name: known[split] for name, split in other.items()}}
    return list(read_frames(trained_model(cfg, None), cfg, datasets, max_clips=2))


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


def test_a_deaf_model_has_the_true_condition_alone(tiny_config, one_thread_for_all):
    for part in ("sparse_prompt", "dense_prompt", "contrastive_loss", "projector"):
        tiny_config.model[part] = None

    frames = readings(tiny_config, swapped="test_audio_swapped")

    assert frames and all(set(f.conditions) == {TRUE} and not f.swapped_at for f in frames)
