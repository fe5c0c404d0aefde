"""Prompts from the truth: where they lie, how far off they are, and that they can be repeated."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from auralsam2.models.methods.human_prompts import (
    PROMPTS,
    box_prompt,
    click_prompt,
    clip_generator,
    mask_prompt,
    objects_of,
)


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
