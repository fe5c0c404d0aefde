"""The same gradients from fewer activations."""

from __future__ import annotations

import copy

import torch
from torch import nn

from auralsam2.models.gradient_checkpointing import checkpoint_layers, recomputed


def _layers() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        *(nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5), nn.GELU()) for _ in range(3))
    )


def _kept(layers: nn.Sequential, seen: torch.Tensor) -> int:
    """How many numbers the backward pass will need."""
    sizes: list[int] = []
    torch.manual_seed(1)
    with torch.autograd.graph.saved_tensors_hooks(
        lambda x: sizes.append(x.numel()) or x, lambda x: x
    ):
        layers(seen).sum().backward()
    return sum(sizes)


def test_same_gradients_through_dropout_from_fewer_activations() -> None:
    plain, checkpointed = _layers(), _layers()
    checkpoint_layers(checkpointed)
    seen = torch.randn(5, 8)
    assert _kept(checkpointed, seen) < _kept(plain, seen) / 2
    assert set(plain.state_dict()) == set(checkpointed.state_dict())
    for ours, expected in zip(checkpointed.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, expected.grad)
    assert torch.equal(plain.eval()(seen), checkpointed.eval()(seen))


def test_a_copy_computes_with_its_own_weights() -> None:
    layers = _layers().eval()
    checkpoint_layers(layers)
    copied, seen = copy.deepcopy(layers), torch.randn(5, 8)
    there = layers(seen)
    nn.init.zeros_(layers[0][0].weight)
    assert torch.equal(copied(seen), there) and not torch.equal(layers(seen), there)


def test_running_statistics_see_every_batch_once() -> None:
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.GELU())
    checkpointed = copy.deepcopy(plain)
    checkpoint_layers([checkpointed])
    seen = torch.randn(6, 4)
    for layers in (plain, checkpointed):
        layers(seen).sum().backward()
    for name, value in plain.state_dict().items():
        assert torch.equal(checkpointed.state_dict()[name], value), name
    for ours, expected in zip(checkpointed.parameters(), plain.parameters(), strict=True):
        assert torch.equal(ours.grad, expected.grad)


def test_nothing_is_computed_twice_where_no_gradient_is_wanted() -> None:
    calls: list[torch.Tensor] = []

    def double(x: torch.Tensor) -> torch.Tensor:
        calls.append(x)
        return (2 * x).sin()

    with torch.no_grad():
        recomputed(double, torch.ones(1, requires_grad=True))
    assert len(calls) == 1
    recomputed(double, torch.ones(1, requires_grad=True)).backward()
    assert len(calls) == 3
