"""SAM2 with prompts from the truth, on the weights that come with the package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from auralsam2.data.synthetic.scene import render, sample_scene
from auralsam2.models.methods.base import EMPTY_LOGIT

Build = Callable[..., Any]
Best = Callable[..., Tensor]


@pytest.fixture(scope="module")
def scene() -> dict[str, Any]:
    """A clip with two objects that are seen all the time, 128 px."""
    rng = np.random.default_rng(5)
    while True:
        frames, masks = render(sample_scene(rng, num_frames=3), 128)
        areas = masks.reshape(*masks.shape[:2], -1).mean(axis=2)
        if masks.shape[1] >= 2 and (areas[:, :2] > 0.01).all():
            break
    both = torch.from_numpy(np.ascontiguousarray(masks[:, :2].max(axis=1))).to(torch.uint8)
    return dict(
        frames=torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2)[None],
        log_mel=torch.zeros(1, 3, 2, 96, 64),
        masks=both[None],
        supervised=torch.ones(1, 3, dtype=torch.bool),
        clip=["scene"],
    )


def iou(logits: Tensor, masks: Tensor) -> Tensor:
    truth = torch.nn.functional.max_pool2d(masks.float(), 4) > 0.5
    predicted = logits > 0
    return (predicted & truth).sum((-2, -1)) / (predicted | truth).sum((-2, -1)).clamp(min=1)


@pytest.fixture
def build128(build: Build) -> Build:
    return lambda **changes: build("prompted", backbone=BACKBONE, **changes)


TRACKER = dict(type="MemoryTracker")
BACKBONE = dict(type="SAM2Backbone", checkpoint="builtin://sam2-mini", image_size=128)


@pytest.mark.parametrize("prompt", ["box", "click", "mask"])
@pytest.mark.parametrize("frames", ["every", "first"])
def test_it_finds_what_it_is_shown(
    prompt: str, frames: str, build128: Build, best: Best, scene: dict[str, Any]
) -> None:
    model = build128(prompt=prompt, prompted_frames=frames)
    shown = iou(best(model, scene), scene["masks"])[0]
    assert shown[0] > 0.6, "both objects, in the prompted frame"
    assert shown.mean() > 0.5


def test_frames_without_truth_are_empty(build128: Build, best: Best, scene: dict[str, Any]) -> None:
    late = dict(scene, masks=scene["masks"].clone())
    late["masks"][:, 0] = 0
    for frames in ("every", "first"):
        answer = best(build128(prompted_frames=frames), late)
        assert (answer[:, 0] == EMPTY_LOGIT).all() and (answer[:, 1] > 0).any()
    nothing = dict(scene, masks=torch.zeros_like(scene["masks"]))
    assert (best(build128(), nothing) == EMPTY_LOGIT).all()


def test_only_the_prompted_frame_is_told(
    build128: Build, best: Best, scene: dict[str, Any]
) -> None:
    changed = dict(scene, masks=scene["masks"].clone())
    changed["masks"][:, 2] = scene["masks"][:, 2].roll(40, dims=2)
    first, every = build128(prompted_frames="first"), build128(prompted_frames="every")
    assert torch.equal(best(first, scene), best(first, changed))
    ours, theirs = best(every, scene), best(every, changed)
    assert torch.equal(ours[:, :2], theirs[:, :2]) and not torch.equal(ours[:, 2], theirs[:, 2])


def test_all_problems_are_told_at_once(build: Build) -> None:
    with pytest.raises(ValueError) as caught:
        build("prompted", prompt="bos", prompted_frames="last", jitter=-1.0, tracker=TRACKER)
    expected = ("prompt='bos'; known: box, click, mask", "prompted_frames='last'", "jitter=-1.0")
    for part in (*expected, "tracker must be None"):
        assert part in str(caught.value)
