"""Points are where the masks say, the same in every run, of unit length."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from auralsam2.data.clip_contents import heard_classes
from auralsam2.engine.embedding_points import (
    AUDIO,
    FOREGROUND,
    FUSED,
    PROJECTED,
    NoAudioVisualSpaceError,
    draw_points,
)
from auralsam2.engine.evaluate import trained_model
from auralsam2.engine.splits import test_datasets as build_test_datasets
from auralsam2.models.auralsam2 import AuralSAM2
from auralsam2.structures import Embeddings


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


def test_joined_clips_are_taken_apart_again(tiny_config: Any) -> None:
    """As released, clips of a batch are one video; of one clip, that is the clip."""
    tiny_config.data.batch_size = 1
    alone = draw(tiny_config, per_kind=2)
    tiny_config.model.type, tiny_config.model.join_clips = "ReleasedAuralSAM2", True
    for one, joined in zip(alone, draw(tiny_config, per_kind=2), strict=True):
        for kind, vectors in one.vectors.items():
            np.testing.assert_allclose(joined.vectors[kind], vectors, atol=1e-5)
    tiny_config.data.batch_size = 2
    keys = [(f.clip, f.frame, f.level, f.space) for f in draw(tiny_config, per_kind=2)]
    assert keys == [(f.clip, f.frame, f.level, f.space) for f in alone]


def test_points_have_unit_length_whatever_the_projector(
    tiny_config: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    embed = AuralSAM2.embed

    def twice_as_long(model: AuralSAM2, fused: Any) -> Any:
        return Embeddings(*(tuple(2 * x for x in stream) for stream in embed(model, fused)))

    monkeypatch.setattr(AuralSAM2, "embed", twice_as_long)
    for frame in draw(tiny_config, per_kind=2):
        np.testing.assert_allclose(np.linalg.norm(frame.vectors[AUDIO], axis=1), 1, rtol=1e-4)


def test_without_a_projector_only_the_fused_space_is_drawn(tiny_config: Any) -> None:
    tiny_config.model.projector = tiny_config.model.contrastive_loss = None

    assert {frame.space for frame in draw(tiny_config)} == {FUSED}


def test_a_deaf_model_has_no_such_space(deaf_config: Any) -> None:
    with pytest.raises(NoAudioVisualSpaceError, match="no audio-visual space"):
        draw(deaf_config)


def test_synthetic_clips_tell_what_sounds_frame_by_frame(tiny_config: Any) -> None:
    dataset = build_test_datasets(tiny_config)["test"]
    heard = heard_classes(dataset)

    assert list(heard) == list(dataset.clips)
    for index, clip in enumerate(dataset.clips):
        masks = dataset[index]["masks"]
        assert len(heard[clip]) == len(masks)
        for classes, mask in zip(heard[clip], masks):
            assert bool(classes) or not mask.any(), "an object is marked only where it sounds"
