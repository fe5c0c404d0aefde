"""Grounding DINO from a folder, tiny and random: what it is asked, and its boxes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from auralsam2.models.detection.base import NO_BOX
from auralsam2.models.detection.grounding_dino import GroundingDINODetector
from auralsam2.structures import VisualPyramid
from tests.auralsam2.models.tiny_pretrained import grounding_dino

NOTHING = VisualPyramid(())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return grounding_dino(tmp_path_factory.mktemp("dino"))


def frames(seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (1, 2, 3, 64, 64), generator=generator).to(torch.uint8)


def build(folder: Path, threshold: float = 0.0) -> Any:
    return GroundingDINODetector(2, folder, ["guitar", "man"], threshold)


def test_its_boxes_are_those_of_its_own_processor(folder: Path) -> None:
    detector = build(folder, 0.3)
    found = detector(NOTHING, ["a"], frames())
    batch = detector.processor(images=frames()[0, 1], text="man.", return_tensors="pt")
    with torch.no_grad():
        out = detector.network(**batch)
    (expected,) = detector.processor.post_process_grounded_object_detection(
        out, batch["input_ids"], threshold=0.3, target_sizes=[(1, 1)]
    )
    own = found.labels[0, 1] == 1
    scores, order = expected["scores"].sort(descending=True)
    torch.testing.assert_close(found.scores[0, 1][own], scores)
    torch.testing.assert_close(found.boxes[0, 1][own], expected["boxes"][order].clamp(0, 1))
    assert own.sum() >= 1 and (found.scores[found.labels != NO_BOX] >= 0.3).all()


def test_it_is_asked_for_what_is_heard_and_once(folder: Path) -> None:
    detector = build(folder)
    asked = []
    detector.network.register_forward_pre_hook(
        lambda _, args, kwargs: asked.append(kwargs["input_ids"].tolist()), with_kwargs=True
    )
    heard = torch.tensor([[[True, False], [False, True]]])
    found = detector(NOTHING, ["a"], frames(), heard)
    assert [set(row.tolist()) for row in found.labels[0]] == [{0}, {1}]
    assert found.labels.shape == (1, 2, 5), "of five queries"
    assert len(asked) == 2 and asked[0] != asked[1]
    again = detector(NOTHING, ["a"], frames(), heard)
    assert torch.equal(again.boxes, found.boxes) and len(asked) == 2
    detector(NOTHING, ["a"], frames(seed=1), heard)
    assert len(asked) == 4, "other pixels under the same name"
    silent = detector(NOTHING, ["a"], frames(), torch.zeros_like(heard))
    assert silent.labels.shape == (1, 2, 0)


def test_it_stays_frozen(folder: Path) -> None:
    detector = build(folder).train()
    assert not detector.network.training
    assert not any(p.requires_grad for p in detector.parameters())
    with pytest.raises(ValueError, match="box_threshold must be from 0 to 1"):
        build(folder, 2.0)
