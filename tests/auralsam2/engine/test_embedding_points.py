"""Points are where the masks say, the same in every run, of unit length."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from auralsam2.data.heard_classes import heard_classes
from auralsam2.engine.embedding_points import AUDIO, FOREGROUND, FUSED, PROJECTED, draw_points
from auralsam2.engine.evaluate import test_datasets as build_test_datasets
from auralsam2.engine.evaluate import trained_model


def draw(cfg: Any, **settings: Any) -> list[Any]:
    torch.manual_seed(0)
    dataset = build_test_datasets(cfg)["test"]
    return list(draw_points(trained_model(cfg, None), cfg, dataset, max_clips=2, **settings))


def test_every_frame_has_its_points_in_both_spaces(tiny_config: Any) -> None:
    frames = draw(tiny_config, per_kind=3)

    assert {(f.space, f.level) for f in frames} == {
        (space, level) for space in (FUSED, PROJECTED) for level in range(3)
    }
    assert len(frames) == 2 * 3 * 2 * 3, "clips, frames, spaces, levels"
    for frame in frames:
        assert frame.vectors[AUDIO].shape[0] == 1
        assert all(len(vectors) <= 3 for vectors in frame.vectors.values())
        assert frame.sounding or not len(frame.vectors[FOREGROUND])
        for vectors in frame.vectors.values():
            np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-4)


def test_the_same_seed_draws_the_same_points(tiny_config: Any) -> None:
    one, two = (draw(tiny_config, per_kind=2, seed=5) for _ in range(2))

    for a, b in zip(one, two):
        assert all(np.array_equal(a.vectors[kind], b.vectors[kind]) for kind in a.vectors)


def test_a_deaf_model_has_no_such_space(tiny_config: Any) -> None:
    for part in ("sparse_prompt", "dense_prompt", "contrastive_loss", "projector"):
        tiny_config.model[part] = None

    with pytest.raises(ValueError, match="no audio-visual space"):
        draw(tiny_config)


def test_synthetic_clips_tell_what_sounds_frame_by_frame(tiny_config: Any) -> None:
    dataset = build_test_datasets(tiny_config)["test"]
    heard = heard_classes(dataset)

    assert list(heard) == list(dataset.clips)
    for index, clip in enumerate(dataset.clips):
        masks = dataset[index]["masks"]
        assert len(heard[clip]) == len(masks)
        for classes, mask in zip(heard[clip], masks):
            assert bool(classes) or not mask.any(), "an object is marked only where it sounds"
