"""Checkpoints hold what training changes, and what several processes have summed up."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from auralsam2.engine.hooks.checkpoint_hooks import (
    GradientSumHook,
    TrainableStateHook,
    trainable_state,
)


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.frozen = nn.Linear(2, 2).requires_grad_(False)
        self.trained = nn.BatchNorm1d(2)


def test_checkpoints_hold_what_training_changes() -> None:
    model = Model()
    kept = set(trainable_state(model))
    assert "trained.weight" in kept and "trained.running_mean" in kept
    assert not any(key.startswith("frozen") for key in kept)
    checkpoint = {"state_dict": dict(model.state_dict())}
    TrainableStateHook().before_save_checkpoint(SimpleNamespace(model=model), checkpoint)
    assert set(checkpoint["state_dict"]) == kept


@pytest.fixture
def model() -> nn.Module:
    model = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1), nn.Linear(1, 1).requires_grad_(False))
    model[0].weight.grad = torch.tensor([[4.0]])
    return model


def test_a_sum_is_kept_with_the_optimizer_alone(model: nn.Module) -> None:
    hook, runner = GradientSumHook(), SimpleNamespace(model=model)
    to_resume, selected = {"optimizer": {}}, {}
    hook.before_save_checkpoint(runner, to_resume)
    hook.before_save_checkpoint(runner, selected)
    assert to_resume["gradients"] == {"0.weight": torch.tensor([[4.0]])} and selected == {}
    model[0].weight.grad = None
    hook.after_load_checkpoint(runner, to_resume)
    assert model[0].weight.grad == 4 and model[1].weight.grad is None
    hook.after_load_checkpoint(runner, {})
    assert model[0].weight.grad == 4


def test_processes_take_the_mean_of_their_sums(
    model: nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The other process has a sum of the second weight, and none of the first one.
    others = iter([torch.tensor([0.0, 0.0, 1.0, 0.0]), torch.zeros(1, 1), torch.tensor([[6.0]])])

    def all_reduce(data: torch.Tensor, op: str) -> None:
        other = next(others)
        data.copy_(torch.maximum(data, other) if op == "max" else (data + other) / 2)

    monkeypatch.setattr("mmengine.dist.is_distributed", lambda: True)
    monkeypatch.setattr("mmengine.dist.all_reduce", all_reduce)
    GradientSumHook().after_train_epoch(SimpleNamespace(model=model))
    grads = [p.grad for p in model.parameters()]
    assert [grad if grad is None else float(grad) for grad in grads] == [2, None, 3, *[None] * 3]
