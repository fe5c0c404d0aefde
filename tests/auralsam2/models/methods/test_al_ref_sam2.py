"""One box a name and clip, whose mask memory carries."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from auralsam2.models.decode import EMPTY_LOGIT
from auralsam2.models.detection.base import Detections, Detector
from auralsam2.structures import VisualPyramid
from tests.auralsam2.models.methods.test_translated_prompts import LEFT, RIGHT, Loudness, sounds

Build = Callable[..., Any]
T = 4


class Glimpses(Detector):
    """Class 0 on the left, best in frame 2; class 1 on the right, in frame 1 alone."""

    classes = ("left", "right")

    def forward(self, pyramid: VisualPyramid, clip: Sequence[str], *_: Any) -> Detections:
        scores = torch.tensor([[0.3, 0.0], [0.4, 0.8], [0.9, 0.0], [0.5, 0.0]])
        boxes = torch.tensor([LEFT, RIGHT]).expand(1, T, 2, 4)
        return Detections(boxes, torch.tensor([0, 1]).expand(1, T, 2), scores[None])


@pytest.fixture
def told(build: Build) -> Any:
    model = build("al_ref_sam2", num_classes=2)
    model.sound_classifier, model.detector = Loudness(), Glimpses()
    model.names = Glimpses.classes
    return model.eval()


@pytest.fixture
def clip() -> dict[str, Any]:
    """A still of noise; ear 0 is heard in all frames but the last, ear 1 in frames 0 and 3."""
    frame = torch.randint(0, 256, (1, 1, 3, 64, 64), generator=torch.Generator().manual_seed(0))
    return dict(
        frames=frame.to(torch.uint8).expand(1, T, -1, -1, -1),
        log_mel=sounds([1, 1], [1, -1], [1, -1], [-1, 1]),
        masks=torch.zeros(1, T, 64, 64),
        supervised=torch.ones(1, T, dtype=torch.bool),
        clip=["a"],
    )


@torch.no_grad()
def test_a_frame_shows_the_names_that_sound(told: Any, clip: dict[str, Any]) -> None:
    out = told(**clip, mode="tensor")
    one = told(**dict(clip, log_mel=sounds(*[[1, -1]] * T)), mode="tensor").best[0]
    other = told(**dict(clip, log_mel=sounds(*[[-1, 1]] * T)), mode="tensor").best[0]
    both = torch.maximum(one, other)
    for t, expected in enumerate((both[0], one[1], one[2], other[3])):
        torch.testing.assert_close(out.best[0, t], expected)
    told.per_second = False
    torch.testing.assert_close(told(**clip, mode="tensor").best[0], both)


@torch.no_grad()
def test_a_lone_name_sounds_throughout(told: Any, clip: dict[str, Any]) -> None:
    always = told(**dict(clip, log_mel=sounds(*[[1, -1]] * T)), mode="tensor")
    once = told(**dict(clip, log_mel=sounds(*[[-1, -1]] * 3, [1, -1])), mode="tensor")
    assert torch.equal(always.best, once.best) and (once.best > 0).any()


@torch.no_grad()
def test_its_one_box_is_on_the_best_frame(told: Any, clip: dict[str, Any]) -> None:
    """There the answer is the image's mask; it is +-10 where SAM2 was given it."""
    lone = dict(clip, log_mel=sounds(*[[1, -1]] * T))
    best = told(**lone, mode="tensor").best[0]
    assert best[2].abs().max() == pytest.approx(10) and best[1].abs().max() != pytest.approx(10)
    every_second = asked_every_second(told)(**lone, mode="tensor").best[0, 2]
    agree = ((best[2] > 0) == (every_second > 0)).float().mean()
    assert agree > 0.95, "of the same box on the same frame, but for its edge"


def asked_every_second(model: Any) -> Any:
    """The same parts, asked in every second."""
    from auralsam2.models.methods.translated_prompts import TranslatedPromptSAM2

    model.__class__ = TranslatedPromptSAM2
    return model


@torch.no_grad()
def test_nothing_found_is_nothing_shown(told: Any, clip: dict[str, Any]) -> None:
    told.rule = told.rule._replace(box_threshold=0.85)
    out = told(**dict(clip, log_mel=sounds(*[[-1, 1]] * T)), mode="tensor")
    assert (out.best == EMPTY_LOGIT).all() and out.best.shape == (1, T, 16, 16)
    assert (out.ious == 0).all()


@torch.no_grad()
def test_choices_name_frame_and_box(build: Build, clip: dict[str, Any], tmp_path: Path) -> None:
    """Of two boxes on the chosen frame the second; that frame is not the one of the best score."""
    frames = [[(0.4, LEFT), (0.3, RIGHT)], [(0.9, LEFT)], [], []]
    entries = [[dict(label="x", score=s, box=b) for s, b in boxes] for boxes in frames]
    boxes, choices = tmp_path / "boxes.json", tmp_path / "choices.json"
    boxes.write_text(json.dumps({"classes": ["x"], "clips": {"a": entries}}))
    choices.write_text(json.dumps({"a": {"x": {"frame": 1, "box": 2}}}))
    node = dict(type="BoxFileDetector", path=str(boxes))
    seen = {}
    for name, path in (("chosen", str(choices)), ("best", None)):
        model = build("al_ref_sam2", num_classes=1, detector=node, choices=path).eval()
        model.sound_classifier = Loudness()
        heard = sounds(*[[1, 1]] * T)[:, :, :1]
        seen[name] = model(**dict(clip, log_mel=heard), mode="tensor").best[0]
    assert [m.abs().max() == pytest.approx(10) for m in seen["chosen"]] == [True] + [False] * 3
    assert [m.abs().max() == pytest.approx(10) for m in seen["best"]] == [False, True, False, False]
    assert not torch.equal(seen["chosen"][0] > 0, seen["best"][1] > 0)
    choices.write_text(json.dumps({"a": {"X": {"frame": 1}}}))
    with pytest.raises(ValueError, match="names \\['X'\\], which are none of the 1 classes"):
        build("al_ref_sam2", num_classes=1, detector=node, choices=str(choices))


def test_choices_that_cannot_be_read(build: Build, tmp_path: Path) -> None:
    path = tmp_path / "choices.json"
    path.write_text('{"a": {"x": 3}}')
    with pytest.raises(ValueError, match="holds no choices {CLIP: {NAME:"):
        build("al_ref_sam2", choices=str(path))
    path.write_text('{"a": {"x": {"frame": 3}}}')
    with pytest.raises(ValueError, match="ALRefSAM2: choices name classes, which neither"):
        build("al_ref_sam2", choices=str(path))
