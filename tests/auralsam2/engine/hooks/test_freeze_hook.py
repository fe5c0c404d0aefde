"""A part that stays as it is in the first epochs, and is never left out of a checkpoint."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from auralsam2.engine.hooks.checkpoint_hooks import trainable_state
from auralsam2.engine.hooks.freeze_hook import FreezeHook


@pytest.fixture
def model() -> nn.Module:
    eyes = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Linear(2, 2).requires_grad_(False))
    return nn.ModuleDict({"eyes": eyes, "head": nn.Linear(2, 1)})


def test_trained_from_an_epoch_on_while_batch_norms_count(model: nn.Module) -> None:
    hook, runner = FreezeHook("eyes", epochs=2), SimpleNamespace(model=model, epoch=0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, weight_decay=0.5)
    hook.before_train(runner)
    whole = set(trainable_state(model))
    for runner.epoch in range(4):
        before = {k: v.clone() for k, v in model.state_dict().items()}
        hook.before_train_epoch(runner)
        model["head"](model["eyes"](torch.randn(4, 2))).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
        hook.after_train_epoch(runner)
        changed = {k for k, v in model.state_dict().items() if not torch.equal(v, before[k])}
        assert {"head.weight", "eyes.1.running_mean"} <= changed
        assert ("eyes.0.weight" in changed) == (runner.epoch >= 2)
        assert not any(key.startswith("eyes.2") for key in changed), "frozen by itself"
        assert set(trainable_state(model)) == whole


def test_a_part_inside_of_a_part(model: nn.Module) -> None:
    hook, runner = FreezeHook("eyes.0", epochs=1), SimpleNamespace(model=model, epoch=0)
    hook.before_train(runner)
    hook.before_train_epoch(runner)
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    assert trained == {"eyes.1.weight", "eyes.1.bias", "head.weight", "head.bias"}


@pytest.mark.parametrize(
    ("part", "said"),
    [("ears", "no part 'ears'; the model has eyes, head"), ("eyes.2", "frozen in all epochs")],
)
def test_a_part_of_which_nothing_is_trained(model: nn.Module, part: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        FreezeHook(part, epochs=1).before_train(SimpleNamespace(model=model))
    with pytest.raises(ValueError, match="at least 0, got -1"):
        FreezeHook(part, epochs=-1)
