"""SAM2 with prompts from the truth, on the weights that come with the package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from auralsam2 import config
from auralsam2.data.synthetic.scene import render, sample_scene
from auralsam2.engine.evaluate import build_model
from auralsam2.models.decode import EMPTY_LOGIT
from auralsam2.models.methods.prompted import (
    PROMPTS,
    box_prompt,
    click_prompt,
    clip_generator,
    mask_prompt,
    objects_of,
)

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


BACKBONE = dict(type="SAM2Backbone", checkpoint="builtin://sam2-mini", image_size=128)


@pytest.mark.parametrize("prompt", ["box", "click", "mask"])
@pytest.mark.parametrize("frames", ["every", "first"])
def test_it_finds_what_it_is_shown(
    prompt: str, frames: str, build128: Build, best: Best, scene: dict[str, Any]
) -> None:
    model = build128(prompt=prompt, prompted_frames=frames)
    assert not model.hears
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


def squares(side: int = 64) -> Tensor:
    """A large square, a small one, and a speck."""
    mask = torch.zeros(side, side, dtype=torch.uint8)
    mask[10:30, 20:50] = 1
    mask[40:50, 5:15] = 1
    mask[60, 60] = 1
    return mask


def test_objects_are_connected_pieces_without_specks() -> None:
    large, small = objects_of(squares())
    assert large[10:30, 20:50].all() and large.sum() == 600
    assert small[40:50, 5:15].all() and small.sum() == 100
    diagonal = torch.eye(8, dtype=torch.uint8)
    assert objects_of(diagonal).shape == (1, 8, 8), "corners touch"
    assert objects_of(torch.zeros(8, 8)).shape == (0, 8, 8)


def test_exact_prompts() -> None:
    objects, g = objects_of(squares()), clip_generator(0, "a")
    box = box_prompt(objects, 16, 0.0, g).points
    assert box.coords.tolist() == [[[20, 10], [50, 30]], [[5, 40], [15, 50]]]
    assert box.labels.tolist() == [[2, 3], [2, 3]]
    click = click_prompt(objects, 16, 0.0, g).points
    assert click.labels.tolist() == [[1], [1]]
    for (x, y), one in zip(click.coords[:, 0].long().tolist(), objects):
        around = one[y - 4 : y + 5, x - 4 : x + 5]
        assert around.all(), "thickest place"
    rough = mask_prompt(objects, 16, 0.0, g).masks
    assert rough.shape == (2, 1, 16, 16)
    inside = torch.nn.functional.max_pool2d(objects[:, None].float(), 4) > 0
    assert rough[inside].mean() > 1 and rough[~inside].mean() < -3


@pytest.mark.parametrize("kind", sorted(PROMPTS))
def test_jitter_moves_a_prompt_and_a_clip_can_be_repeated(kind: str) -> None:
    objects = objects_of(squares())

    def draw(clip: str, jitter: float, seed: int = 0) -> Tensor:
        prompt = PROMPTS[kind](objects, 16, jitter, clip_generator(seed, clip))
        return prompt.masks if prompt.points is None else prompt.points.coords

    assert torch.equal(draw("a", 0.2), draw("a", 0.2))
    assert not torch.equal(draw("a", 0.2), draw("b", 0.2))
    assert not torch.equal(draw("a", 0.2), draw("a", 0.2, seed=1))
    assert not torch.equal(draw("a", 0.2), draw("a", 0.0))


def test_shaken_clicks_stay_inside() -> None:
    objects = objects_of(squares())
    for index in range(50):
        g = clip_generator(0, str(index))
        clicks = click_prompt(objects, 16, 0.5, g).points.coords[:, 0].long()
        assert all(one[y, x] for (x, y), one in zip(clicks.tolist(), objects))


def test_boxes_are_off_by_the_share_that_was_asked_for() -> None:
    objects = objects_of(squares())[:1]
    exact = torch.tensor([[20.0, 10.0], [50.0, 30.0]])
    off = torch.stack(
        [
            (box_prompt(objects, 16, 0.05, clip_generator(0, str(i))).points.coords[0] - exact)
            / torch.tensor([30.0, 20.0])
            for i in range(200)
        ]
    )
    assert off.std() == pytest.approx(0.05, rel=0.2) and off.abs().max() <= 0.1 + 1e-6


def test_it_is_auralsam2_without_prompts(build: Callable[..., Any], clips: dict[str, Any]) -> None:
    off = dict.fromkeys(
        [f"model.{key}" for key in ("sparse_prompt", "dense_prompt", "contrastive_loss")]
    )
    cfg = config.load("auralsam2/mini_v1m", {**off, "model.projector": None, "data.image_size": 64})
    with torch.no_grad():
        ours = build("unprompted").eval()(**clips, mode="tensor")
        theirs = build_model(cfg).eval()(**clips, mode="tensor")
    assert all(torch.equal(a, b) for a, b in zip(ours.tensors, theirs.tensors, strict=True))


def test_a_deaf_model_with_a_trained_decoder(
    build: Callable[..., Any], clips: dict[str, Any]
) -> None:
    model = build(
        "unprompted", trained_parts=("sam_mask_decoder",), mask_loss=dict(type="SAM2MaskLoss")
    )
    sum(model.train()(**clips).values()).backward()
    reached = [n for n, p in model.named_parameters() if p.grad is not None]
    assert reached and all(n.startswith("backbone.network.sam_mask_decoder.") for n in reached)
