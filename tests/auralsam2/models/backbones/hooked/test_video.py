"""SAM2's family in transformers behind our contract: against the official classes, and itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from auralsam2.models.backbones.hooked.video import HookedVideo
from auralsam2.models.backbones.promptable import Points
from auralsam2.models.backbones.sam2.build import build_sam2
from auralsam2.models.backbones.sam2.memory import ClipMemory
from auralsam2.models.backbones.sam2.network import PromptableSAM2
from auralsam2.models.backbones.sam2.transformers_names import official_names
from auralsam2.models.injection import ReleasedInjection, StepwiseInjection
from auralsam2.models.interaction import ClickedClip, clips_of
from auralsam2.models.methods.carrying import carry_masks, decode_as_video
from auralsam2.models.tracking import MemoryTracker, decode_frames
from auralsam2.registry import BACKBONES
from auralsam2.structures import Prediction, Prompts, VisualPyramid
from tests.auralsam2.models.backbones.sam2.test_transformers_names import of_transformers

pytest.importorskip("transformers", reason="needs the extra `text`: transformers")

B, T, SIDE = 2, 4, 128
TOLERANCE = 1e-4


def drawn(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def redraw(model: Any) -> None:
    """Weights that are seen: transformers starts many of them from zero."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            tensor.copy_(0.08 * torch.randn(tensor.shape, generator=generator))
            if "norm" in name and name.endswith("weight"):
                tensor.add_(1)


@pytest.fixture(scope="module", params=["2.1", "2.0"])
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[HookedVideo, PromptableSAM2]]:
    """SAM2 of transformers, and the official classes with its weights."""
    official = build_sam2("mini", request.param, SIDE).eval()
    theirs = of_transformers(official, request.param)
    official.load_state_dict(official_names(theirs.state_dict()))
    yield HookedVideo(theirs).eval().requires_grad_(False), official.requires_grad_(False)


def pyramid(network: Any, side: int = SIDE) -> VisualPyramid:
    with torch.no_grad():
        maps = network.raw_pyramid(drawn(B * T, 3, side, side))
    return VisualPyramid(tuple(m.unflatten(0, (B, T)) for m in maps))


def prompts(network: Any) -> Prompts:
    e, c = network.embedding_size, network.hidden_dim
    return Prompts(
        tuple(drawn(B, T, c, seed=i).requires_grad_() for i in range(3)),
        tuple(drawn(B, T, e * e, c, seed=3 + i).requires_grad_() for i in range(3)),
    )


def distance(ours: Tensor, theirs: Tensor) -> float:
    assert ours.shape == theirs.shape
    ours, theirs = ours.detach(), theirs.detach()
    return float((ours - theirs).abs().max() / theirs.abs().max().clamp(min=1e-3))


def close(ours: Tensor, theirs: Tensor) -> None:
    assert distance(ours, theirs) < TOLERANCE


INJECTIONS = {
    "published": StepwiseInjection(),
    "released": ReleasedInjection(leak_into_position=True),
    "appended": StepwiseInjection(placement="append"),
    "one site": StepwiseInjection(sites=("final",), tokens=("object", "iou", "mask")),
    "first site": StepwiseInjection(sites=("block1",)),
}


@pytest.mark.parametrize("name", INJECTIONS)
def test_a_whole_clip_is_the_official_one(
    pair: tuple[HookedVideo, PromptableSAM2], name: str
) -> None:
    ours, official = pair
    tracker, found = MemoryTracker(test_conditioning="middle", gate_memory=True).eval(), []
    click = Points(torch.tensor([[[40.0, 30.0]], [[90.0, 70.0]]]), torch.ones(B, 1).int())
    for network in (ours, official):
        maps, given = pyramid(network), prompts(network)
        answer: Prediction = tracker(network, maps, given, INJECTIONS[name])
        *finer, coarse = network.image_maps(VisualPyramid(tuple(m[:, :1] for m in maps.levels)))
        clicked = decode_frames(network, coarse, finer, given.at(0), INJECTIONS[name], click)
        (answer.best.square().mean() + answer.object_score_logits.sum()).backward()
        gradients = [p.grad for p in (*given.sparse, *given.dense)]
        found.append([*clicked, *answer.tensors, *gradients])
    for one, other in zip(*found, strict=True):
        if one is None or other is None:
            assert one is other  # no gradient where nothing is injected
        else:
            close(one, other)
    bare = tracker(ours, maps, Prompts(), None)
    alone = MemoryTracker(test_conditioning="middle", use_memory=False).eval()
    assert distance(bare.best, answer.best) > 1e-2  # prompts do something, and so does the memory
    apart = alone(ours, maps, Prompts(), None)
    assert distance(apart.best[:, -1], bare.best[:, -1]) > 1e-3


def test_given_masks_are_carried_as_by_the_official_one(
    pair: tuple[HookedVideo, PromptableSAM2],
) -> None:
    ours, official = pair
    masks = torch.zeros(B, 1, SIDE, SIDE)
    masks[0, :, 20:90, 30:70] = 1
    with torch.no_grad():
        found = [
            carry_masks(
                network,
                network.decoder_features([m[0] for m in pyramid(network).levels]),
                T // 2,
                masks,
            )
            for network in (ours, official)
        ]
    for one, other in zip(*found, strict=True):
        for field, same in zip(one, other, strict=True):
            close(field, same)


def test_what_is_clicked_again_and_again_is_answered_as_by_the_official_one(
    pair: tuple[HookedVideo, PromptableSAM2],
) -> None:
    answers = []
    for network in pair:
        with torch.no_grad():
            clip = ClickedClip(network, clips_of(network, pyramid(network))[0])
            coords = torch.tensor([[[40.0, 30.0], [90.0, 70.0], [20.0, 90.0]]])
            labels = torch.tensor([[1, 0, 1]], dtype=torch.int32)
            clip.click(1, Points(coords[:, :1], labels[:, :1]))
            clip.click(1, Points(coords, labels))
            clip.click(3, Points(coords[:, 1:2], labels[:, :1]))
            answers.append(clip.answer())
    for one, other in zip(*(answer.tensors for answer in answers), strict=True):
        close(one, other)


def test_four_masks_and_prompts_of_all_kinds(pair: tuple[HookedVideo, PromptableSAM2]) -> None:
    box = Points(torch.tensor([[[9.0, 9.0], [60.0, 50.0], [20.0, 70.0]]] * B),
                 torch.tensor([[2, 3, 0]] * B))  # fmt: skip
    given = dict(points=box, masks=drawn(B, 1, SIDE // 4, SIDE // 4), all_masks=True)
    found = []
    for network in pair:
        fine, middle, coarse = network.decoder_features([m[:, 0] for m in pyramid(network).levels])
        for some in (given, dict(given, points=None), dict(given, masks=None, all_masks=False), {}):
            with torch.no_grad():
                found.append(network.decode(coarse, [fine, middle], **some))
    for one, other in zip(found[:4], found[4:], strict=True):
        for field, same in zip(one, other, strict=True):
            close(field, same)


FAMILY = {"EdgeTAMBackbone": 64, "SAM3Backbone": 126}


@pytest.fixture(scope="module", params=["transformers' SAM2", *FAMILY])
def network(request: pytest.FixtureRequest) -> Any:
    if request.param not in FAMILY:
        return HookedVideo(of_transformers(build_sam2("mini", "2.1", SIDE), "2.1")).eval()
    if request.param == "EdgeTAMBackbone":
        pytest.importorskip("timm", reason="needs the extra `edgetam`: timm")
    node = dict(type=request.param, random_weights=True)
    backbone = BACKBONES.build(node, image_size=FAMILY[request.param])
    redraw(backbone.network)
    return backbone.network.eval()


@pytest.mark.parametrize("seen", [True, False])
def test_a_clicked_clip_is_that_of_transformers(
    network: Any, seen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two clips at once here, one after the other there, whose memories are kept whole."""
    from transformers import Sam2VideoInferenceSession

    with torch.no_grad():
        network.sam_mask_decoder.pred_obj_score_head.proj_out.bias.fill_(5 if seen else -5)
    side = network.image_size
    frames, spots = drawn(B, T, 3, side, side), [[0.4 * side, 0.3 * side], [0.7 * side, 0.6 * side]]
    coords, labels = torch.tensor(spots)[:, None], torch.ones(B, 1, dtype=torch.int32)
    sessions: list[Any] = []
    with torch.no_grad():
        maps = network.decoder_features(network.raw_pyramid(frames.flatten(0, 1)))
        maps, memory = [m.unflatten(0, (B, T)) for m in maps], ClipMemory(network, T)
        for t in range(T):
            found = decode_as_video(
                memory,
                t,
                [m[:, t] for m in maps],
                Points(coords, labels) if t == 0 else None,
                is_conditioning=t == 0,
            )
            assert bool((found.best > -1024).all()) == seen
            for clip in range(B):
                monkeypatch.setattr(torch, "bfloat16", torch.float32)
                if t == 0:
                    session = Sam2VideoInferenceSession(
                        frames[clip], side, side, dtype=torch.float32
                    )
                    index = session.obj_id_to_idx(1)
                    click = dict(point_coords=coords[clip][None, None])
                    click |= dict(point_labels=labels[clip][None, None])
                    session.add_point_inputs(index, 0, click)
                    session.obj_with_new_inputs = [1]
                    sessions.append(session)
                theirs = network.model(sessions[clip], frame_idx=t)
                monkeypatch.undo()
                close(found.best[clip], theirs.pred_masks[0])
                close(found.object_score_logits[clip], theirs.object_score_logits[0])
