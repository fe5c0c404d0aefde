"""When a module is left to its official way, and when what is made of weights is made anew."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from auralsam2.models.backbones.sam2.frozen import MadeOfWeights, is_untouched


def frozen() -> nn.Sequential:
    return (
        nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Dropout(0.1))).eval().requires_grad_(False)
    )


class Doubled(nn.ReLU):
    """Somebody else's, of a class that is known otherwise."""

    def forward(self, x: Tensor) -> Tensor:
        return 2 * super().forward(x)


def test_untouched() -> None:
    assert is_untouched(frozen(), frozen())


@pytest.mark.parametrize(
    "touch",
    [
        lambda m: m.train(),
        lambda m: m[1][0].train(),
        lambda m: m[0].bias.requires_grad_(),
        lambda m: m[1][0].register_forward_hook(lambda *_: None),
        lambda m: m[0].register_forward_pre_hook(lambda *_: None),
        lambda m: m[0].register_full_backward_hook(lambda *_: None),
        lambda m: m[0].register_full_backward_pre_hook(lambda *_: None),
        lambda m: setattr(m[0], "forward", lambda x: x),
        lambda m: setattr(m[1], "0", Doubled()),
    ],
)
def test_touched(touch: object) -> None:
    module = frozen()
    touch(module)  # type: ignore[operator]
    assert not is_untouched(frozen(), module)


def test_a_hook_that_is_gone_no_longer_counts() -> None:
    module = frozen()
    module[0].register_forward_hook(lambda *_: None).remove()
    assert is_untouched(module)


@pytest.mark.parametrize(
    "register",
    [
        torch.nn.modules.module.register_module_forward_hook,
        torch.nn.modules.module.register_module_forward_pre_hook,
        torch.nn.modules.module.register_module_full_backward_hook,
        torch.nn.modules.module.register_module_full_backward_pre_hook,
    ],
)
def test_hooks_of_all_modules(register: Callable[..., RemovableHandle]) -> None:
    handle = register(lambda *_: None)
    try:
        assert not is_untouched(frozen())
    finally:
        handle.remove()
    assert is_untouched(frozen())


def test_made_once_and_anew_where_weights_change() -> None:
    calls: list[Tensor] = []

    def make(module: nn.Module) -> Tensor:
        calls.append(module[0].weight * 2)  # type: ignore[index,operator]
        return calls[-1]

    module, made = frozen(), MadeOfWeights(make)
    assert made.of(module) is made.of(module)
    assert len(calls) == 1
    module.load_state_dict({"0.weight": torch.ones(2, 2), "0.bias": torch.zeros(2)})
    assert torch.equal(made.of(module), torch.full((2, 2), 2.0))
    module.double()
    assert made.of(module).dtype == torch.float64
    module[0].weight = nn.Parameter(torch.zeros(2, 2).double())
    assert not made.of(module).any()
    assert len(calls) == 4
    assert not made.of(module).requires_grad


def test_what_is_made_does_not_depend_on_who_asks_first() -> None:
    made, module = MadeOfWeights(lambda m: m[0](torch.ones(1, 2))), frozen()  # type: ignore[index]
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        first = made.of(module)
    assert first.dtype == torch.float32 and not first.is_inference()
    assert torch.equal(first, module[0](torch.ones(1, 2)))
