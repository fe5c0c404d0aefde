"""Alike parameters are one group, and runs from the time when each was one go on unchanged."""

from __future__ import annotations

import copy
from typing import Any

import torch
from mmengine.optim import CosineAnnealingLR, DefaultOptimWrapperConstructor
from torch import nn

from auralsam2.engine.parameter_groups import MergeGroupsHook, ParameterGroups, merged


def test_alike_groups_become_one_in_the_order_of_the_first() -> None:
    groups = [
        {"params": [0], "lr": 1.0},
        {"params": [1], "lr": 1.0, "weight_decay": 0.0},
        {"params": [2], "lr": 1.0},
        {"params": [3], "lr": 2.0},
        {"params": [4], "lr": 1.0, "weight_decay": 0.0},
    ]
    found, firsts = merged(groups)
    assert [group["params"] for group in found] == [[0, 2], [1, 4], [3]] and firsts == [0, 1, 3]
    assert [group["params"] for group in groups] == [[0], [1], [2], [3], [4]]
    assert merged(found) == (found, [0, 1, 2])


class Training:
    """Some layers, their optimizer and its schedule."""

    def __init__(self, constructor: type, rate_factors: dict[str, float]) -> None:
        torch.manual_seed(0)
        parts = [nn.Linear(3, 3), nn.LayerNorm(3), nn.Linear(3, 3), nn.LayerNorm(3)]
        self.model = nn.Sequential(*parts)
        node = {"optimizer": {"type": "AdamW", "lr": 0.1, "weight_decay": 0.1}}
        if constructor is ParameterGroups:
            special = {"rate_factors": rate_factors}
        else:  # the same as mmengine states it, a group a parameter
            special = {
                "custom_keys": {
                    f"{i}.{name}": {
                        "lr_mult": rate_factors.get(str(i), 1.0),
                        "decay_mult": 0.0 if isinstance(part, nn.LayerNorm) else 1.0,
                    }
                    for i, part in enumerate(parts)
                    for name in ("weight", "bias")
                }
            }
        built = constructor(node, {"norm_decay_mult": 0.0, **special})(self.model)
        self.optimizer = built.optimizer
        self.schedule = CosineAnnealingLR(self.optimizer, T_max=5, eta_min=0.01)

    def steps(self, number: int) -> None:
        for step in range(number):
            self.optimizer.zero_grad()
            torch.manual_seed(step)
            self.model(torch.randn(4, 3)).square().sum().backward()
            self.optimizer.step()
            self.schedule.step()

    def state(self) -> dict[str, Any]:
        state = {
            "state_dict": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "param_schedulers": [self.schedule.state_dict()],
        }
        return copy.deepcopy(state)

    def load(self, checkpoint: dict[str, Any]) -> None:
        MergeGroupsHook().after_load_checkpoint(None, checkpoint)
        self.model.load_state_dict(checkpoint["state_dict"])
        self.optimizer.load_state_dict(checkpoint["optimizer"])
        self.schedule.load_state_dict(checkpoint["param_schedulers"][0])


def test_a_run_that_began_with_a_group_a_parameter_goes_on_to_the_same_numbers() -> None:
    factors = {"2": 0.5}
    before, now = (
        Training(kind, factors) for kind in (DefaultOptimWrapperConstructor, ParameterGroups)
    )
    assert len(before.optimizer.param_groups) == 8
    before.steps(2)
    state = before.state()
    for group in state["optimizer"]["param_groups"]:  # what custom_keys leave there, besides
        for key in ("lr_mult", "decay_mult"):
            group.pop(key)
    now.load(state)
    assert [len(group["params"]) for group in now.optimizer.param_groups] == [2, 4, 2]
    for training in (before, now):
        training.steps(2)
    for old, new in zip(before.model.parameters(), now.model.parameters(), strict=True):
        torch.testing.assert_close(old, new, rtol=0, atol=0)
    rates = [before.optimizer.param_groups[i]["lr"] for i in (0, 2, 4)]
    assert [group["lr"] for group in now.optimizer.param_groups] == rates
    assert rates[0] == rates[1] > rates[2]


def test_a_checkpoint_without_optimizer_is_left_as_it_is() -> None:
    checkpoint: dict[str, Any] = {"state_dict": {}}
    MergeGroupsHook().after_load_checkpoint(None, checkpoint)
    assert checkpoint == {"state_dict": {}}
