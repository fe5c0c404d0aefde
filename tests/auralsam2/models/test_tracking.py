"""How frames go through SAM2: all at once, or one after the other with what was remembered."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor

from auralsam2.models.backbones.promptable import NO_OBJECT
from auralsam2.models.backbones.sam2.build import build_sam2
from auralsam2.models.backbones.sam2.network import PromptableSAM2
from auralsam2.models.injection import ReleasedInjection, StepwiseInjection
from auralsam2.models.tracking import MemoryTracker
from auralsam2.structures import Prompts, VisualPyramid

B, T, C, E = 2, 4, 128, 4


@pytest.fixture(scope="module")
def network() -> PromptableSAM2:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build_sam2("mini", image_size=64).eval().requires_grad_(False)
    # Where no object is seen, a constant takes a pointer's place.
    network.sam_mask_decoder.pred_obj_score_head.layers[-1].bias += 100
    return network


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(B, T, *shape, generator=torch.Generator().manual_seed(seed))


def pyramid() -> VisualPyramid:
    return VisualPyramid(tuple(drawn(s, C, s * E, s * E) for s in (4, 2, 1)))


def prompts() -> Prompts:
    sparse = [drawn(level, C).requires_grad_() for level in range(3)]
    dense = [drawn(level, E * E, C).requires_grad_() for level in range(3)]
    return Prompts(tuple(sparse), tuple(dense))


@pytest.mark.parametrize(
    "injection",
    [
        StepwiseInjection(),
        StepwiseInjection(placement="append"),
        ReleasedInjection(leak_into_position=True),
    ],
)
@torch.no_grad()
def test_without_memory_frames_are_decoded_at_once_and_as_alone(
    network: PromptableSAM2, injection: StepwiseInjection
) -> None:
    decoded: list[int] = []
    tracker, maps, given = MemoryTracker(use_memory=False), pyramid(), prompts()
    watch = network.two_way.watch(lambda image, *_: decoded.append(len(image)))
    together = tracker(network, maps, given, injection)
    watch.remove()
    assert decoded == [B * T]
    for t in range(T):
        one = VisualPyramid(tuple(level[:, t : t + 1] for level in maps.levels))
        alone = tracker(network, one, given.at(t), injection)
        for own, other in zip(alone.tensors, together.tensors, strict=True):
            torch.testing.assert_close(own[:, 0], other[:, t], atol=2e-5, rtol=2e-5)


@pytest.mark.parametrize("pointers", [True, False])
def test_gradients_travel_between_frames_by_pointers_alone(
    network: PromptableSAM2, pointers: bool
) -> None:
    tracker = MemoryTracker("first", pointer_gradients=pointers).train()
    given = prompts()
    prediction = tracker(network, pyramid(), given, StepwiseInjection())
    (gradient,) = torch.autograd.grad(prediction.mask_logits[:, -1].sum(), given.dense[0])
    assert [bool(gradient[:, t].any()) for t in range(T)] == [pointers] * (T - 1) + [True]


@pytest.mark.parametrize("gated", [True, False])
@torch.no_grad()
def test_where_no_object_is_seen_an_empty_mask_is_remembered_on_request(
    network: PromptableSAM2, monkeypatch: pytest.MonkeyPatch, gated: bool
) -> None:
    blind, remembered = deepcopy(network), []
    blind.sam_mask_decoder.pred_obj_score_head.layers[-1].bias -= 200
    encode = blind._encode_new_memory

    def watched(**given: Any) -> Any:
        remembered.append(given["pred_masks_high_res"])
        return encode(**given)

    monkeypatch.setattr(blind, "_encode_new_memory", watched)
    prediction = MemoryTracker(gate_memory=gated)(blind, pyramid(), Prompts())
    assert [bool((masks == NO_OBJECT).all()) for masks in remembered] == [gated] * (T - 1)
    assert (prediction.best > NO_OBJECT).all(), "the answer itself stays as it is"
