"""A frozen network's quicker way through clips gives what the official modules give.

The official way is taken where a method of the network is replaced, here by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor

from auralsam2.models.backbones.sam2.build import build_sam2
from auralsam2.models.backbones.sam2.frozen_memory import FrozenClipMemory
from auralsam2.models.backbones.sam2.network import Points, PromptableSAM2
from auralsam2.models.injection import ReleasedInjection, StepwiseInjection
from auralsam2.models.tracking import MemoryTracker
from auralsam2.structures import Prediction, Prompts, VisualPyramid

B, T, C, E = 2, 4, 128, 8


@pytest.fixture(scope="module", params=["2.0", "2.1"])
def network(request: pytest.FixtureRequest) -> PromptableSAM2:
    torch.manual_seed(0)
    network = build_sam2("mini", request.param).eval().requires_grad_(False)
    draw = torch.Generator().manual_seed(0)
    for parameter in network.parameters():  # biases and codes are zero or small otherwise
        parameter += 0.02 * torch.randn(parameter.shape, generator=draw)
    return network


@pytest.fixture(scope="module")
def pyramid() -> VisualPyramid:
    draw = torch.Generator().manual_seed(1)
    return VisualPyramid(
        tuple(torch.randn(B, T, C, s * E, s * E, generator=draw) for s in (4, 2, 1))
    )


def prompts(levels: int = 3) -> Prompts:
    draw = torch.Generator().manual_seed(2)
    sparse = [torch.randn(B, T, C, generator=draw).requires_grad_() for _ in range(levels)]
    dense = [torch.randn(B, T, E * E, C, generator=draw).requires_grad_() for _ in range(levels)]
    return Prompts(tuple(sparse), tuple(dense))


@contextmanager
def official(network: PromptableSAM2) -> Iterator[None]:
    vars(network)["_predict_masks"] = network._predict_masks
    try:
        yield
    finally:
        del vars(network)["_predict_masks"]


def told(prediction: Prediction, given: Prompts) -> tuple[tuple[Tensor, ...], tuple[Any, ...]]:
    """What is predicted, and gradients of a fixed sum of it in all prompts."""
    weighted = [(x * torch.linspace(-1, 1, x.numel()).view_as(x)).sum() for x in prediction.tensors]
    inputs = (*given.sparse, *given.dense)
    grads = torch.autograd.grad(sum(weighted), inputs, allow_unused=True)  # type: ignore[arg-type]
    return prediction.tensors, grads


CASES = {
    "published": (dict(), StepwiseInjection()),
    "no memory": (dict(use_memory=False), StepwiseInjection()),
    "gated": (dict(gate_memory=True), StepwiseInjection(order="fine_to_coarse")),
    "pointers apart": (dict(pointer_gradients=False), StepwiseInjection(dense_sites=("block1",))),
    "released": (dict(train_conditioning="last"), ReleasedInjection(leak_into_position=True)),
    "appended": (dict(), StepwiseInjection(placement="append")),
    "appended, no memory": (dict(use_memory=False), StepwiseInjection(placement="append")),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("training", [True, False])
def test_answers_and_gradients(
    network: PromptableSAM2, pyramid: VisualPyramid, case: str, training: bool
) -> None:
    settings, injection = CASES[case]
    tracker = MemoryTracker(**settings).train(training)  # type: ignore[arg-type]
    assert network.is_frozen
    ours = told(tracker(network, pyramid, given := prompts(), injection), given)
    with official(network):
        assert not network.is_frozen
        theirs = told(tracker(network, pyramid, given := prompts(), injection), given)
    for own, other in zip(ours[0], theirs[0], strict=True):
        torch.testing.assert_close(own, other, atol=2e-5, rtol=2e-5)
    for own, other in zip(ours[1], theirs[1], strict=True):
        if other is None:
            assert own is None or not own.any()
        else:
            # Rounding takes a hidden unit near zero to its other side now and then.
            assert float((own - other).norm()) < 5e-3 * float(other.norm())


def test_a_subclass_with_a_method_of_its_own_is_left_to_it(network: PromptableSAM2) -> None:
    class Watched(PromptableSAM2):
        def _predict_masks(self, *given: Any, **named: Any) -> Any:
            return super()._predict_masks(*given, **named)

    class Larger(PromptableSAM2):
        def more(self) -> None: ...

    own = type(network)
    try:
        network.__class__ = Watched
        assert not network.is_frozen
        network.__class__ = Larger
        assert network.is_frozen
    finally:
        network.__class__ = own


def test_without_prompts_and_gradients(network: PromptableSAM2, pyramid: VisualPyramid) -> None:
    tracker = MemoryTracker().eval()
    with torch.no_grad():
        ours = tracker(network, pyramid, Prompts())
        with official(network):
            theirs = tracker(network, pyramid, Prompts())
    torch.testing.assert_close(ours.mask_logits, theirs.mask_logits, atol=2e-5, rtol=2e-5)


def test_gradients_travel_by_pointers_alone(
    network: PromptableSAM2, pyramid: VisualPyramid, monkeypatch: pytest.MonkeyPatch
) -> None:
    memories: list[FrozenClipMemory] = []
    make = PromptableSAM2.clip_memory

    def noted(*args: Any) -> FrozenClipMemory:
        memories.append(make(*args))
        return memories[-1]

    monkeypatch.setattr(PromptableSAM2, "clip_memory", noted)
    # Where no object is seen, a constant takes the pointer's place.
    last = network.sam_mask_decoder.pred_obj_score_head.layers[-1]
    last.bias += 100
    found = {}
    for pointers in (True, False):
        tracker = MemoryTracker("first", pointer_gradients=pointers).train()
        prediction = tracker(network, pyramid, given := prompts(), StepwiseInjection())
        (grad,) = torch.autograd.grad(prediction.mask_logits[:, -1].sum(), given.dense[0])
        found[pointers] = [bool(grad[:, t].any()) for t in range(T)]
    last.bias -= 100
    assert found == {True: [True] * T, False: [False, False, False, True]}
    recorded = [
        any(x.requires_grad for kept in part for x in kept.values())
        for memory in memories
        for part in ([memory._keys, memory._values], [memory._pointers])
    ]
    assert recorded == [False, True, False, False]


def test_the_official_way_where_somebody_looks_or_trains(
    network: PromptableSAM2, pyramid: VisualPyramid, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    for name in ("decode", "decode_frozen"):
        method = getattr(PromptableSAM2, name)

        def noted(*args: Any, name: str = name, method: Any = method, **kwargs: Any) -> Any:
            asked.append(name)
            return method(*args, **kwargs)

        monkeypatch.setattr(PromptableSAM2, name, noted)

    def ways(**given: Any) -> set[str]:
        asked.clear()
        MemoryTracker().train()(network, pyramid, prompts(), StepwiseInjection(), **given)
        return set(asked)

    attention = network.sam_mask_decoder.transformer.layers[0].cross_attn_token_to_image
    seen: list[Tensor] = []
    assert ways() == {"decode_frozen"}
    hook = attention.q_proj.register_forward_hook(lambda layer, args, out: seen.append(out))
    assert ways() == {"decode"}
    assert len(seen) == T
    hook.remove()
    network.sam_mask_decoder.requires_grad_(True)
    assert ways() == {"decode"}
    network.sam_mask_decoder.requires_grad_(False)
    click = Points(torch.zeros(B, 1, 2), torch.ones(B, 1))
    assert ways(points={0: click}) == {"decode"}
    assert ways() == {"decode_frozen"}


def test_weights_loaded_later_are_used(pyramid: VisualPyramid) -> None:
    first, second = (build_sam2("mini").eval().requires_grad_(False) for _ in range(2))
    tracker = MemoryTracker().eval()

    def logits(network: PromptableSAM2) -> Tensor:
        answer: Prediction = tracker(network, pyramid, Prompts())
        return answer.mask_logits

    before = logits(first)
    first.load_state_dict(second.state_dict())
    assert not torch.allclose(before, logits(first), atol=1e-2)
    torch.testing.assert_close(logits(first), logits(second))
