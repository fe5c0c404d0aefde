"""A step of every component on a GPU that is pretended, against the same step on the CPU."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import nn

from auralsam2 import registry
from tests.gpu import cases as all_cases
from tests.gpu.cases import Case, go_back, tensors, without_dropout
from tests.gpu.pretended import (
    GPU,
    DeviceClashError,
    Pretended,
    back,
    moved,
    placed,
    pretended_gpu,
    way_back,
)

CASES = dict(all_cases.cases())


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]()


def built(case: Case) -> tuple[Any, Any]:
    """Component and inputs, the same at every call."""
    torch.manual_seed(0)
    return case.build(), case.inputs()


def stepped(case: Case, component: Any, inputs: Any) -> dict[str, Any]:
    """Outputs of a training step, gradients, weights behind it, and answers in eval mode."""
    torch.manual_seed(1)
    found: dict[str, Any] = {}
    if isinstance(component, nn.Module):
        component.train()
    outputs = case.call(component, inputs)
    found["outputs"] = tensors(outputs)
    if isinstance(component, nn.Module):
        component.eval()
    if case.evaluated is not None:
        with torch.no_grad():
            found["answers"] = tensors(case.evaluated(component, inputs))
    with way_back():
        went = go_back(outputs)
    if went and (own := [p for p in component.parameters() if p.requires_grad]):
        found["gradients"] = [p.grad for p in own if p.grad is not None]
        torch.optim.AdamW(own, lr=1e-3).step()
        found["weights"] = own
    return found


def test_it_computes_what_the_cpu_does(case: Case) -> None:
    component, inputs = built(case)
    component = without_dropout(component)
    expected = stepped(case, copy.deepcopy(component), inputs)
    with pretended_gpu():
        if isinstance(component, nn.Module):
            component = placed(component)
        found = stepped(case, component, moved(inputs))
    assert found.keys() == expected.keys()
    for what, there in found.items():
        assert len(there) == len(expected[what]) > 0 or what == "outputs"
        theirs = back(expected[what])
        # Of all tensors: a gradient may be nothing but rounding, as that of the keys' bias.
        sizes = [float(x.double().abs().nan_to_num().max()) for x in theirs if x.numel()]
        largest = max(sizes, default=0.0)
        # AdamW's first step is of the gradient's sign, also where that is rounding.
        atol = 2.1e-3 if what == "weights" else 1e-5 * largest
        for one, other in zip(back(there), theirs):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=atol, equal_nan=True)
    for what in ("gradients", "weights"):
        assert all(isinstance(x, Pretended) for x in found.get(what, ()))


def test_mixed_precision(case: Case) -> None:
    component, inputs = built(case)
    with pretended_gpu(autocast=torch.bfloat16):
        if isinstance(component, nn.Module):
            component = placed(component).train()
        torch.manual_seed(1)
        outputs = tensors(case.call(component, moved(inputs)))
    assert all(x.isfinite().all() for x in back(outputs) if x.is_floating_point())


def test_what_is_not_tried_is_listed() -> None:
    axes = {*all_cases.PARTS, *all_cases.INSIDE, *all_cases.NOT_OF_A_STEP, "model", "text_encoder"}
    assert axes == registry.REGISTRIES.keys()
    known = {name for parts in registry.REGISTRIES.values() for name in parts.names()}
    assert all_cases.LEFT_OUT.keys() <= known and len(all_cases.LEFT_OUT) <= 11
    models = {all_cases.load(n, {}).model.type for n in all_cases.method_configs()}
    models.add(all_cases.RELEASED["model.type"])
    assert models == set(all_cases.own_names("model"))
    assert set(all_cases.own_names("text_encoder")) == set()


def test_where_a_training_step_waits_for_the_device() -> None:
    """In the losses, which sample and choose; not in encoders, fuser, decoder and memory."""
    case = CASES["auralsam2/mini_v1m"]()
    component, inputs = built(case)
    with pretended_gpu() as waits:
        component = placed(component)
        waits.clear()
        case.call(component.train(), moved(inputs))
    copied = {line for line in waits if line.endswith("copy to the device")}
    waiting = waits.keys() - copied
    assert {line for line in waiting if not line.startswith("losses/")} == set()
    assert 0 < sum(waits[line] for line in waiting) <= 60, waits.most_common()
    # SAM2's own distances of pointers, a frame that reads some, and noise of the CPU's generator.
    assert sum(waits[line] for line in copied) <= 5, waits.most_common()


def test_the_pretended_gpu_refuses_what_a_gpu_does() -> None:
    with pretended_gpu() as waits:
        there, here = torch.ones(3, device=GPU), torch.ones(3)
        assert isinstance(there, Pretended) and there.device == GPU and there.is_cuda
        for clash in (
            lambda: there + here,
            lambda: torch.cat([here, there]),
            lambda: here[there > 0],
            lambda: there.numpy(),
            lambda: torch.rand(3, device=GPU, generator=torch.Generator()),
        ):
            with pytest.raises((DeviceClashError, RuntimeError)):
                clash()
        assert not waits
        assert (there + torch.tensor(2.0)).sum().item() == 9.0
        assert here.to(there).device == GPU and type(there.cpu()) is torch.Tensor
        assert there.nonzero().device == GPU
    assert waits.total() == 4 and not torch.is_autocast_enabled("cuda")


def test_the_pretended_gpu_casts_as_autocast_on_cuda_does() -> None:
    layer, x = nn.Linear(3, 4), torch.ones(2, 3)
    with pretended_gpu(autocast=torch.bfloat16):
        half = placed(layer)(moved(x))
        assert half.dtype == torch.bfloat16 and half.device == GPU
        assert half.softmax(dim=-1).dtype == torch.float32  # on the CPU it would stay bfloat16
