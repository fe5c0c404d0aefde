"""Sound to a name, the name to a box, the box to SAM2."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from auralsam2.models.decode import EMPTY_LOGIT
from auralsam2.models.detection.base import Detections, Detector
from auralsam2.models.sound.base import SoundClassifier
from auralsam2.structures import VisualPyramid, Waveform
from tests.auralsam2.models.tiny_pretrained import ast, grounding_dino

Build = Callable[..., Any]
LEFT, RIGHT = [0.05, 0.2, 0.4, 0.6], [0.6, 0.4, 0.95, 0.9]


class TwoBoxes(Detector):
    """Class 0 on the left and class 1 on the right of every frame."""

    def forward(self, pyramid: VisualPyramid, clip: Sequence[str], *_: object) -> Detections:
        shape = pyramid.levels[0].shape[:2]
        boxes, labels = torch.tensor([LEFT, RIGHT]), torch.tensor([0, 1])
        return Detections(
            boxes.expand(*shape, 2, 4), labels.expand(*shape, 2), torch.full((*shape, 2), 0.9)
        )


class Loudness(SoundClassifier):
    """Ear i names class i where it is louder than 0."""

    def forward(self, log_mel: Tensor, clip: Sequence[str], *_: object) -> Tensor:
        return 20 * log_mel.mean(dim=(-2, -1))


def sounds(*ears: Sequence[float]) -> Tensor:
    """(1, T, 2, 96, 64) with one level an ear."""
    return torch.tensor(ears).float()[None, :, :, None, None].expand(1, len(ears), 2, 96, 64)


@pytest.fixture
def told(build: Build) -> Any:
    """A method whose classifier and detector are certain."""
    model = build("translated", num_classes=2)
    model.sound_classifier, model.detector = Loudness(), TwoBoxes()
    return model.eval()


@pytest.fixture
def clip() -> dict[str, Any]:
    return dict(
        frames=torch.randint(0, 256, (1, 4, 3, 64, 64)).to(torch.uint8),
        log_mel=sounds([1, -1], [-1, 1], [1, 1], [-1, -1]),
        masks=torch.zeros(1, 4, 64, 64),
        supervised=torch.ones(1, 4, dtype=torch.bool),
        clip=["a"],
    )


@torch.no_grad()
def test_what_is_heard_is_segmented_and_several_are_joined(told: Any, clip: dict[str, Any]) -> None:
    clip["frames"] = clip["frames"][:, :1].expand(-1, 4, -1, -1, -1)
    out = told(**clip, mode="tensor")
    left, right, both, silent = out.best[0]
    assert not torch.equal(left, right)
    assert torch.equal(both, torch.maximum(left, right))
    assert (silent == EMPTY_LOGIT).all() and out.object_score_logits[0, 3] == EMPTY_LOGIT
    assert (out.ious[0, 3] == 0).all() and (out.ious[0, :3] > 0).all()
    torch.testing.assert_close(out.ious[0, 2], out.ious[0, :2].mean(0))


@torch.no_grad()
def test_a_box_is_answered_as_sam2_answers_it(told: Any, clip: dict[str, Any]) -> None:
    """By the upstream classes' own path: image embedding without memory, box as two points."""
    out = told(**clip, mode="tensor")
    network = told.backbone.network
    maps = network.decoder_features(network.raw_pyramid(told.normalise(clip["frames"][0])))
    maps[2] = maps[2] + network.no_mem_embed.reshape(1, -1, 1, 1)
    corners = torch.tensor([LEFT]).view(1, 2, 2) * 64
    expected = network._forward_sam_heads(
        backbone_features=maps[2][:1],
        point_inputs=dict(
            point_coords=corners, point_labels=torch.tensor([[2, 3]], dtype=torch.int32)
        ),
        high_res_features=[m[:1] for m in maps[:2]],
        multimask_output=False,
    )
    seen = expected[6] > 0  # the official heads gate by the object score, as for videos
    assert seen.all()
    torch.testing.assert_close(out.best[0, 0], expected[3][0, 0], atol=1e-4, rtol=1e-4)
    assert torch.equal(out.mask_logits[0, 0], out.best[0, 0].expand(3, -1, -1))


@torch.no_grad()
def test_silence_throughout_is_an_empty_answer(told: Any, clip: dict[str, Any]) -> None:
    out = told(**dict(clip, log_mel=clip["log_mel"] * 0 - 1), mode="tensor")
    assert (out.best == EMPTY_LOGIT).all() and out.mask_logits.shape == (1, 4, 3, 16, 16)
    results = told(**dict(clip, log_mel=clip["log_mel"] * 0 - 1), mode="predict")
    assert not (results[0]["mask_logits"] > 0).any()


def test_it_trains_detector_and_head_alone(build: Build, clips: dict[str, Any]) -> None:
    model = build("translated", num_classes=3).train()
    sources = torch.tensor([[1, 0, 1], [0, 1, 0]], dtype=torch.uint8)
    losses = model(**clips, sources=sources)
    assert set(losses) == {"loss_object", "loss_box", "loss_label", "loss_sound"}
    sum(losses.values()).backward()
    learns = {n for n, p in model.named_parameters() if p.grad is not None and p.grad.any()}
    assert learns == {n for n, p in model.named_parameters() if p.requires_grad}
    assert {n.split(".")[0] for n in learns} == {"sound_classifier", "detector"}
    assert all(".audio_encoder." not in n for n in learns)
    other = model(
        **{k: v.flip(0) if isinstance(v, Tensor) else v[::-1] for k, v in clips.items()},
        sources=sources.flip(0),
    )
    for name, value in losses.items():
        torch.testing.assert_close(other[name], value)


def test_items_without_sources_are_refused(build: Build, clips: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="set data.train to dict\\(type='NamedSources'"):
        build("translated")(**clips)


def test_names_that_do_not_agree_in_number_are_refused(build: Build, clips: dict[str, Any]) -> None:
    model = build("translated", num_classes=3)
    with pytest.raises(ValueError, match="num_classes is 3, but data.train names 4 classes"):
        model(**clips, sources=torch.ones(2, 4))


@pytest.fixture
def files(tmp_path: Path) -> dict[str, dict[str, Any]]:
    """Nodes of a detector and a classifier that read files about clips a and b."""
    classes, box = ["x", "y"], {"label": "y", "score": 0.9, "box": RIGHT}
    paths = {}
    for name, entry in (("boxes", [box]), ("sounds", {"y": 0.9})):
        paths[name] = tmp_path / f"{name}.json"
        content = {"classes": classes, "clips": {c: [entry, entry] for c in "ab"}}
        paths[name].write_text(json.dumps(content))
    return dict(
        detector=dict(type="BoxFileDetector", path=str(paths["boxes"])),
        sound_classifier=dict(type="LabelFileClassifier", path=str(paths["sounds"])),
    )


def test_with_files_nothing_is_trained(
    build: Build, clips: dict[str, Any], files: dict[str, Any]
) -> None:
    model = build("translated", num_classes=2, **files).eval()
    assert not any(p.requires_grad for p in model.parameters())
    with torch.no_grad():
        out = model(**clips, mode="tensor")
    assert (out.ious > 0).all()


def test_boxes_of_a_file_teach_a_classifier(
    build: Build, clips: dict[str, Any], files: dict[str, Any]
) -> None:
    model = build("translated", num_classes=2, detector=files["detector"]).train()
    clips["masks"][:] = 1
    losses = model(**clips, sources=torch.tensor([[1, 1], [0, 1]]))
    assert set(losses) == {"loss_sound"}
    losses["loss_sound"].backward()
    bias = next(m for m in model.sound_classifier.head[::-1] if isinstance(m, nn.Linear)).bias
    assert bias.grad[1] < 0 < bias.grad[0], "class y was seen, class x was not"


def test_files_with_other_classes_are_refused(build: Build, files: dict[str, Any]) -> None:
    path = Path(files["detector"]["path"])
    path.write_text(path.read_text().replace('["x", "y"]', '["z", "y"]'))
    with pytest.raises(ValueError, match="class 0 is 'x' for the one and 'z' for the other"):
        build("translated", num_classes=2, **files)


@torch.no_grad()
def test_models_of_others_hear_waveforms_and_look_at_frames(
    build: Build, clips: dict[str, Any], tmp_path: Path
) -> None:
    names = ["guitar", "man"]
    model = build(
        "sam4avs",
        num_classes=2,
        top_k=1,
        sound_classifier=dict(type="ASTTagger", weights=str(ast(tmp_path / "a")), classes=names),
        detector=dict(
            type="GroundingDINODetector", weights=str(grounding_dino(tmp_path / "d")), classes=names
        ),
    ).eval()
    assert not any(p.requires_grad for p in model.parameters())
    looked: list[Tensor] = []
    model.detector.register_forward_pre_hook(lambda _, inputs: looked.append(inputs[3]))
    sounds_of_clips = [Waveform(torch.randn(2 * 16_000), 16_000) for _ in range(2)]
    out = model(**clips, waveform=sounds_of_clips, mode="tensor")
    assert (out.best > EMPTY_LOGIT).any() and (looked[0].sum(-1) == 1).all(), "one name a second"
    with pytest.raises(ValueError, match="ASTTagger hears waveforms"):
        model(**clips, mode="tensor")
