"""The small detector: shapes, independence, and learning from weak labels alone."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from auralsam2.models.detection.base import NO_BOX, Evidence
from auralsam2.models.detection.pyramid_detector import PyramidDetector
from auralsam2.registry import DETECTORS
from auralsam2.structures import VisualPyramid

B, T, C, K, E, S = 3, 2, 16, 4, 4, 32


def pyramid(generator: torch.Generator, batch: int = B) -> VisualPyramid:
    return VisualPyramid(
        tuple(torch.randn(batch, T, C, E * s, E * s, generator=generator) for s in (4, 2, 1))
    )


def evidence(masks: Tensor, sources: Tensor, **changes: Any) -> Evidence:
    heard = torch.full((*masks.shape[:2], sources.shape[1]), 0.5)
    supervised = torch.ones(masks.shape[:2], dtype=torch.bool)
    return Evidence(masks, supervised, sources, heard)._replace(**changes)


def build(**changes: Any) -> PyramidDetector:
    node = dict(type="PyramidDetector", width=16) | changes
    detector = DETECTORS.build(node, channels=C, num_classes=K)
    assert isinstance(detector, PyramidDetector)
    return detector


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_boxes_are_whole_and_clips_independent(generator: torch.Generator) -> None:
    detector, maps = build(min_score=0.02), pyramid(generator)
    found = detector(maps, ["a", "b", "c"])
    real = found.labels != NO_BOX
    assert real.any() and found.boxes.shape == (*found.labels.shape, 4)
    assert found.labels.shape[:2] == (B, T) and found.labels.max() < K
    assert (found.scores[real] >= 0.02).all() and (found.scores[~real] == 0).all()
    low, high = found.boxes[real].split(2, dim=-1)
    assert (low >= 0).all() and (high <= 1).all() and (low < high).all()
    flipped = detector(VisualPyramid(tuple(x.flip(0) for x in maps.levels)), ["c", "b", "a"])
    torch.testing.assert_close(flipped.boxes.flip(0), found.boxes)
    assert torch.equal(flipped.labels.flip(0), found.labels)


def test_only_so_many_boxes_and_the_best_of_them(generator: torch.Generator) -> None:
    maps = pyramid(generator)
    torch.manual_seed(0)
    every = build(min_score=0.02)(maps, ["a", "b", "c"])
    torch.manual_seed(0)
    few = build(min_score=0.02, max_boxes=3)(maps, ["a", "b", "c"])
    assert every.labels.shape[2] > 3 == few.labels.shape[2]
    best = every.scores.sort(dim=-1, descending=True).values[..., :3]
    torch.testing.assert_close(few.scores, best)


def test_overlapping_boxes_of_a_class_stay_where_all_overlap_is_allowed(
    generator: torch.Generator,
) -> None:
    maps = pyramid(generator)
    torch.manual_seed(0)
    every = build(min_score=0.02, nms_iou=1.0)(maps, ["a", "b", "c"])
    torch.manual_seed(0)
    apart = build(min_score=0.02, nms_iou=0.1)(maps, ["a", "b", "c"])
    assert (every.labels != NO_BOX).sum() > (apart.labels != NO_BOX).sum() > 0


def test_weights_of_losses(generator: torch.Generator) -> None:
    masks, sources = torch.zeros(B, T, S, S), torch.ones(B, K)
    masks[:, :, 4:16, 6:20] = 1
    found = []
    for weights in ({}, dict(box_weight=6.0, negative_weight=0.0)):
        torch.manual_seed(0)
        detector, maps = build(**weights), pyramid(torch.Generator().manual_seed(1))
        found.append(detector.losses(maps, ["a"] * B, evidence(masks, sources))[0])
    usual, changed = found
    torch.testing.assert_close(changed["loss_box"], 3 * usual["loss_box"])
    assert changed["loss_object"] < usual["loss_object"]


def test_nothing_above_the_score_is_no_box(generator: torch.Generator) -> None:
    found = build(min_score=1.0)(pyramid(generator), ["a", "b", "c"])
    assert found.labels.shape == (B, T, 0) and found.boxes.shape == (B, T, 0, 4)


def test_every_parameter_learns_and_the_order_of_clips_does_not_matter(
    generator: torch.Generator,
) -> None:
    detector, maps = build(), pyramid(generator)
    masks = torch.zeros(B, T, S, S)
    masks[0, :, 4:16, 6:20] = masks[1, 0, 20:30, 2:14] = 1
    sources = torch.tensor([[1.0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]])
    losses, seen = detector.losses(maps, ["a", "b", "c"], evidence(masks, sources))
    assert set(losses) == {"loss_object", "loss_box", "loss_label"}
    total = sum(losses.values())
    assert isinstance(total, Tensor) and total.isfinite()
    total.backward()
    assert all(p.grad is not None and p.grad.any() for p in detector.parameters())
    other, _ = detector.losses(
        VisualPyramid(tuple(x.flip(0) for x in maps.levels)),
        ["c", "b", "a"],
        evidence(masks.flip(0), sources.flip(0)),
    )
    for name, value in losses.items():
        torch.testing.assert_close(other[name], value)
    assert not seen.requires_grad and seen.shape == (B, T, K)
    assert (seen[0] > 0)[:, :2].all() and (seen[0, :, 2:] == 0).all(), "only what is named"
    torch.testing.assert_close(seen[1, 0], torch.tensor([0.0, 0, 1, 0]), atol=1e-4, rtol=0)
    assert not seen[1, 1].any() and not seen[2].any(), "no mask, or no name"


@pytest.mark.parametrize("case", ["no mask", "no name", "not supervised"])
def test_losses_stay_numbers_where_little_is_known(generator: torch.Generator, case: str) -> None:
    masks = torch.zeros(B, T, S, S)
    masks[:, :, 4:16, 6:20] = float(case != "no mask")
    sources = torch.full((B, K), float(case != "no name"))
    changes = {}
    if case == "not supervised":
        changes["supervised"] = torch.zeros(B, T, dtype=torch.bool)
    detector = build()
    losses, seen = detector.losses(
        pyramid(generator), ["a"] * B, evidence(masks, sources, **changes)
    )
    sum(losses.values()).backward()  # type: ignore[union-attr]
    assert all(v.isfinite() for v in losses.values()) and seen.isfinite().all()
    assert all(p.grad.isfinite().all() for p in detector.parameters() if p.grad is not None)
    if case == "not supervised":
        assert not any(losses.values())


def test_what_is_heard_decides_between_the_names_of_a_clip(generator: torch.Generator) -> None:
    masks = torch.zeros(B, T, S, S)
    masks[..., 4:16, 6:20] = 1
    sources = torch.tensor([[1.0, 1, 0, 0]] * B)
    heard = torch.tensor([0.98, 0.01, 0.9, 0.0]).expand(B, T, K)
    _, seen = build().losses(pyramid(generator), ["a"] * B, evidence(masks, sources, heard=heard))
    assert (seen[..., 0] > 0.9).all() and (seen[..., 1] < 0.1).all() and not seen[..., 2:].any()


def test_names_of_clips_are_enough_to_tell_objects_apart(generator: torch.Generator) -> None:
    """Two objects a clip, each of a class with a look of its own; only the pair is named."""
    looks = torch.randn(K, C, generator=generator)
    detector = build(width=32)
    optimizer = torch.optim.AdamW(detector.parameters(), lr=5e-3)

    def draw(batch: int) -> tuple[VisualPyramid, Tensor, Tensor, Tensor]:
        pairs = torch.stack([torch.randperm(K, generator=generator)[:2] for _ in range(batch)])
        level = 0.3 * torch.randn(batch, T, C, 2 * E, 2 * E, generator=generator)
        masks = torch.zeros(batch, T, S, S)
        for i, pair in enumerate(pairs):
            for place, kind in enumerate(pair):
                rows = slice(0, 3) if place else slice(4, 7)
                level[i, :, :, rows, 2:5] += looks[kind][:, None, None]
                masks[i, :, 4 * rows.start : 4 * rows.stop, 8:20] = 1
        maps = [
            level.repeat_interleave(2, -1).repeat_interleave(2, -2),
            level,
            level[..., ::2, ::2],
        ]
        sources = torch.zeros(batch, K).scatter(1, pairs, 1.0)
        return VisualPyramid(tuple(maps)), masks, sources, pairs

    for _ in range(60):
        maps, masks, sources, _ = draw(8)
        losses, _ = detector.losses(maps, ["a"] * 8, evidence(masks, sources))
        optimizer.zero_grad()
        sum(losses.values()).backward()  # type: ignore[union-attr]
        optimizer.step()
    maps, _, _, pairs = draw(16)
    found = detector.eval()(maps, ["a"] * 16)
    right = 0
    for i, pair in enumerate(pairs):
        for place, kind in enumerate(pair):
            scores = torch.where(found.labels[i, 0] == kind, found.scores[i, 0], -1.0)
            box = found.boxes[i, 0, scores.argmax()]
            truth = torch.tensor([2, 0 if place else 4, 5, 3 if place else 7]) / 8
            right += bool((box - truth).abs().max() < 0.1)
    assert right >= 28, f"{right} of 32 boxes"


def test_all_wrong_arguments_are_told_at_once() -> None:
    wrong = dict(width=12, negative_weight=-1, box_weight=-1, min_score=-1, nms_iou=2, max_boxes=0)
    with pytest.raises(ValueError, match="num_classes must be at least 1") as caught:
        build(num_classes=0, **wrong)
    assert all(f"{name} must" in str(caught.value) for name in wrong)


def test_sources_of_another_vocabulary_are_refused(generator: torch.Generator) -> None:
    with pytest.raises(ValueError, match="sources must have shape"):
        build().losses(
            pyramid(generator), ["a"] * B, evidence(torch.zeros(B, T, S, S), torch.zeros(B, K + 1))
        )


def test_a_pyramid_of_one_map_is_refused(generator: torch.Generator) -> None:
    alone = VisualPyramid(pyramid(generator).levels[-1:])
    with pytest.raises(ValueError, match="reads three maps, and the backbone gives 1"):
        build().maps(alone)
