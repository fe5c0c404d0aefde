"""Linear layers by the faster library give what torch's own give."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from auralsam2.models import linear as module
from auralsam2.models.linear import QuickLinear, QuickPatches, linear, quicken_linear_layers


@pytest.fixture(autouse=True)
def _everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a processor that wants it, whatever this one is; for small products too."""
    monkeypatch.setattr(module, "prefers_onednn", lambda: True)
    monkeypatch.setattr(module, "MIN_PRODUCTS", 1)


def _gradients(function: object, *inputs: Tensor | None) -> list[Tensor]:
    leaves = [x.clone().requires_grad_() if x is not None else None for x in inputs]
    out = function(*leaves)  # type: ignore[operator]
    (out * torch.linspace(-1, 1, out.numel()).view_as(out)).sum().backward()
    return [out.detach(), *(x.grad for x in leaves if x is not None and x.grad is not None)]


@pytest.mark.parametrize("shape", [(7, 12), (2, 5, 12), (2, 3, 4, 12)])
@pytest.mark.parametrize("biased", [True, False])
def test_values_and_gradients_are_those_of_torch(shape: tuple[int, ...], biased: bool) -> None:
    draw = torch.Generator().manual_seed(0)
    x, weight = torch.randn(shape, generator=draw), torch.randn(9, 12, generator=draw)
    bias = torch.randn(9, generator=draw) if biased else None
    ours, theirs = _gradients(linear, x, weight, bias), _gradients(F.linear, x, weight, bias)
    assert len(ours) == len(theirs) == 3 + biased
    for own, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(own, other, atol=1e-5, rtol=1e-5)


def test_strided_inputs_and_views_changed_in_place() -> None:
    draw = torch.Generator().manual_seed(1)
    x = torch.randn(6, 4, 8, generator=draw, requires_grad=True)
    weight = torch.randn(8, 8, generator=draw)

    def use(product: Tensor) -> Tensor:
        product[:, 1:] = product[:, 1:] * 2  # as SAM2's rotary code does
        return product

    ours = use(linear(x.transpose(0, 1), weight))
    theirs = use(F.linear(x.transpose(0, 1), weight))
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(
        torch.autograd.grad(ours.sum(), x)[0],
        torch.autograd.grad(theirs.sum(), x)[0],
        atol=1e-5,
        rtol=1e-5,
    )


def test_the_library_is_given_matrices_without_gaps(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes seconds for columns cut out of a wider weight, and values are right all the same."""
    given: list[Tensor] = []

    def product(x: Tensor, weight: Tensor, bias: Tensor | None, *_: object) -> Tensor:
        given.extend((x, weight))
        return F.linear(x, weight, bias)

    monkeypatch.setattr(torch.ops.mkldnn._linear_pointwise, "default", product)
    draw = torch.Generator().manual_seed(3)
    wide, weights = torch.randn(6, 24, generator=draw), torch.randn(9, 24, generator=draw)
    for columns in (5, 16):  # fewer and more of them than the nine rows of the weight
        leaves = [x.clone().requires_grad_() for x in (wide, weights)]
        x, weight = (leaf[:, 2 : 2 + columns] for leaf in leaves)
        linear(x, weight).sum().backward()  # its gradient is one number, expanded
        theirs = [leaf.detach().clone().requires_grad_() for leaf in leaves]
        F.linear(*(leaf[:, 2 : 2 + columns] for leaf in theirs)).sum().backward()
        for ours, other in zip(leaves, theirs, strict=True):
            torch.testing.assert_close(ours.grad, other.grad)
    assert len(given) == 12
    assert all(m.is_contiguous() or m.t().is_contiguous() for m in given)


def test_gradients_of_gradients_and_batches_of_calls_are_those_of_torch() -> None:
    draw = torch.Generator().manual_seed(4)
    x, weight = (torch.randn(6, 6, generator=draw, requires_grad=True) for _ in range(2))
    found = []
    for function in (linear, F.linear):
        (slope,) = torch.autograd.grad(function(x, weight).square().sum(), x, create_graph=True)
        found.append(torch.autograd.grad(slope.square().sum(), (x, weight)))
    torch.testing.assert_close(*found, atol=1e-4, rtol=1e-4)
    rows = torch.randn(3, 2, 6, generator=draw)
    torch.testing.assert_close(torch.vmap(linear, (0, None))(rows, weight), F.linear(rows, weight))


def test_other_precisions_are_left_to_torch() -> None:
    weight = torch.ones(3, 4)
    assert torch.equal(
        linear(torch.ones(2, 4).double(), weight.double()), torch.full((2, 3), 4.0).double()
    )
    with torch.autocast("cpu", torch.bfloat16):
        assert linear(torch.ones(2, 4), weight).dtype == torch.bfloat16


def test_a_model_keeps_weights_names_and_hooks() -> None:
    model = nn.Sequential(nn.Linear(4, 5), nn.Sequential(nn.GELU(), nn.Linear(5, 2)))
    seen: list[Tensor] = []
    model[0].register_forward_hook(lambda layer, args, out: seen.append(out))
    before, x = copy.deepcopy(model), torch.randn(3, 4, generator=torch.Generator().manual_seed(2))
    quicken_linear_layers(model)
    assert [type(m) for m in (model[0], model[1][1])] == [QuickLinear, QuickLinear]
    assert model.state_dict().keys() == before.state_dict().keys()
    torch.testing.assert_close(model(x), before(x))
    assert len(seen) == 2


def test_a_subclass_keeps_its_own_forward() -> None:
    class Doubled(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            return 2 * super().forward(x)

    model = nn.Sequential(Doubled(2, 2))
    quicken_linear_layers(model)
    assert type(model[0]) is Doubled


def _patches(side: int, bias: bool = True) -> tuple[nn.Sequential, nn.Sequential]:
    """One layer of patches, torch's own and ours, of the same weights."""
    torch.manual_seed(0)
    theirs = nn.Sequential(nn.Conv2d(5, 7, side, stride=side, bias=bias))
    quicken_linear_layers(ours := copy.deepcopy(theirs))
    assert type(ours[0]) is QuickPatches
    return ours, theirs


@pytest.mark.parametrize("side", [1, 2, 4])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", [torch.channels_last, torch.contiguous_format])
def test_patches_are_convolutions(side: int, bias: bool, kind: torch.memory_format) -> None:
    ours, theirs = _patches(side, bias)
    x = torch.randn(2, 5, 8, 12, generator=torch.Generator().manual_seed(1))
    x = x.contiguous(memory_format=kind)

    def told(model: nn.Module) -> list[Tensor]:
        out, *grads = _gradients(model, x)
        return [out, *grads, *(p.grad for p in model.parameters() if p.grad is not None)]

    for own, other in zip(told(ours), told(theirs), strict=True):
        torch.testing.assert_close(own, other, atol=1e-5, rtol=1e-5)


def test_products_take_the_place_of_convolutions_where_channels_come_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, _ = _patches(2)
    monkeypatch.setattr(module, "linear", lambda x, w, b: seen.append(x.shape) or F.linear(x, w, b))
    seen: list[torch.Size] = []
    maps = torch.randn(2, 5, 4, 6)
    ours(maps), ours(maps[:, :, :3])
    assert not seen
    ours(maps.contiguous(memory_format=torch.channels_last))
    assert seen == [(2, 2, 3, 20)]


@pytest.mark.parametrize("shape", [(5, 4, 6), (2, 5, 5, 6), (2, 5, 4, 7)])
@pytest.mark.parametrize("side", [1, 2])
def test_maps_without_a_batch_and_with_a_rest_go_torchs_way(
    side: int, shape: tuple[int, ...]
) -> None:
    ours, theirs = _patches(side)
    x = torch.randn(*shape, generator=torch.Generator().manual_seed(1))
    if len(shape) == 4:
        x = x.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(ours(x), theirs(x), atol=1e-5, rtol=1e-5)


def test_overlapping_patches_stay_convolutions() -> None:
    layers = [
        nn.Conv2d(4, 4, 3, stride=2), nn.Conv2d(4, 4, 2), nn.Conv2d(4, 4, 2, 2, groups=2),
        nn.Conv2d(4, 4, 2, 2, padding=1), nn.Conv2d(4, 4, 2, 2, dilation=2), nn.Conv2d(4, 4, 1, 2),
    ]  # fmt: skip
    quicken_linear_layers(model := nn.Sequential(*layers))
    assert all(type(layer) is nn.Conv2d for layer in model)
