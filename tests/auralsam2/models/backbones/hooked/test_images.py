"""SAM of transformers behind our contract, against its own forward."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from auralsam2.models.backbones.hooked.images import SEEN
from auralsam2.models.backbones.promptable import Points
from auralsam2.models.backbones.sam2.memory import ClipMemory
from auralsam2.models.injection import StepwiseInjection
from auralsam2.models.tracking import MemoryTracker
from auralsam2.registry import BACKBONES
from auralsam2.structures import Prompts, VisualPyramid

pytest.importorskip("transformers", reason="needs the extra `backbones`: transformers")

B, T, SIDE = 2, 3, 64


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def network() -> Any:
    built = BACKBONES.build(dict(type="SAMBackbone", random_weights=True), image_size=SIDE)
    with torch.no_grad():
        for i, (name, tensor) in enumerate(built.network.named_parameters()):
            tensor.copy_(0.1 * drawn(*tensor.shape, seed=i) + ("norm" in name))
    return built.network


BOX = torch.tensor([[9.0, 9.0], [60.0, 50.0]])
CLICK = torch.tensor([[20.0, 30.0]])
PROMPTS: dict[str, tuple[Tensor, list[int], dict[str, Any]]] = {
    "click": (CLICK, [1], dict(input_points=CLICK[None, None], input_labels=torch.tensor([[[1]]]))),
    "box": (BOX, [2, 3], dict(input_boxes=BOX.flatten()[None, None])),
    "both": (
        torch.cat([BOX, CLICK]),
        [2, 3, 0],
        dict(
            input_points=CLICK[None, None],
            input_labels=torch.tensor([[[0]]]),
            input_boxes=BOX.flatten()[None, None],
        ),
    ),
}


@pytest.mark.parametrize("kind", [*PROMPTS, "mask"])
def test_what_a_person_prompts_is_segmented_as_by_transformers(network: Any, kind: str) -> None:
    frames, masks = drawn(1, 3, SIDE, SIDE), drawn(1, 1, SIDE // 4, SIDE // 4)
    with torch.no_grad():
        (coarse,) = network.decoder_features(network.raw_pyramid(frames))
        if kind == "mask":
            found = network.decode(coarse, [], masks=masks, all_masks=True)
            given = dict(input_masks=masks)
        else:
            coords, labels, given = PROMPTS[kind]
            points = Points(coords[None], torch.tensor([labels], dtype=torch.int32))
            found = network.decode(coarse, [], points=points, all_masks=True)
        single = network.model(pixel_values=frames, multimask_output=False, **given)
        three = network.model(pixel_values=frames, **given)
    expected = torch.cat([single.pred_masks, three.pred_masks], dim=2)[:, 0]
    torch.testing.assert_close(found.mask_logits, expected, rtol=1e-4, atol=1e-4)
    expected = torch.cat([single.iou_scores, three.iou_scores], dim=2)[:, 0]
    torch.testing.assert_close(found.ious, expected, rtol=1e-4, atol=1e-4)
    assert found.object_score_logits.tolist() == [[SEEN]]


def test_frames_are_images(network: Any) -> None:
    e, c = network.embedding_size, network.hidden_dim
    with torch.no_grad():
        (coarse,) = network.raw_pyramid(drawn(B * T, 3, SIDE, SIDE))
    pyramid = VisualPyramid((coarse.unflatten(0, (B, T)),))
    prompts = Prompts((drawn(B, T, c),), (drawn(B, T, e * e, c).requires_grad_(),))
    tracker, injection = MemoryTracker(use_memory=False).eval(), StepwiseInjection()
    prediction = tracker(network, pyramid, prompts, injection)
    prediction.best.sum().backward()
    assert prompts.dense[0].grad is not None and prompts.dense[0].grad.abs().sum() > 0
    first = Prompts((prompts.sparse[0][:, :1],), (prompts.dense[0][:, :1],))
    alone = tracker(network, VisualPyramid((pyramid.levels[0][:, :1],)), first, injection)
    torch.testing.assert_close(alone.best[:, 0], prediction.best[:, 0])
    bare = tracker(network, pyramid, Prompts())
    assert (bare.best - prediction.best).abs().max() > 1e-2


def test_a_memory_is_refused_with_what_to_set(network: Any) -> None:
    coarse = drawn(B, network.hidden_dim, network.embedding_size, network.embedding_size)
    memory = ClipMemory(network, T)
    assert torch.equal(memory.condition(0, coarse, is_conditioning=True), coarse)
    with pytest.raises(ValueError, match="set `model.tracker.use_memory` to False"):
        memory.condition(1, coarse, is_conditioning=False)
