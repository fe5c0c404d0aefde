"""What the base class of all methods around SAM2 refuses and remembers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

Build = Callable[..., Any]


def test_parts_that_cannot_be_trained(build: Build) -> None:
    with pytest.raises(ValueError, match=r"did you mean 'sam_mask_decoder'\?"):
        build("unprompted", trained_parts=("sam_mask_decoded",))


def test_an_encoder_that_is_asked_for_learns_although_the_rest_is_frozen(
    build: Build, clips: dict[str, Any]
) -> None:
    model = build("unprompted", trained_parts=("image_encoder",))
    model.train()(**clips, mode="tensor").best.sum().backward()
    assert model.backbone.network.image_encoder.trunk.patch_embed.proj.weight.grad.any()
    assert model.backbone.network.no_mem_embed.grad is None


def test_frames_are_encoded_once_also_where_the_decoder_is_trained(
    build: Build, clips: dict[str, Any]
) -> None:
    model = build("av_sam", feature_cache_mb=1).eval()
    model.feature_cache.hits = 0
    with torch.no_grad():
        one = model(**clips, mode="tensor")
        model.feature_cache.hits = 0
        other = model(**clips, mode="tensor")
    assert model.feature_cache.hits == 2
    torch.testing.assert_close(one.best, other.best)


def test_nothing_is_remembered_of_an_encoder_that_is_trained(build: Build) -> None:
    backbone = dict(type="SAM2Backbone", checkpoint="builtin://sam2-mini", frozen=False)
    assert build("unprompted", feature_cache_mb=1, backbone=backbone).feature_cache is None
