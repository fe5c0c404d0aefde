"""What a config's settings become in mmengine's words."""

from __future__ import annotations

import pytest
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from torch import nn

from auralsam2.engine.runner_settings import optimizer_node
from auralsam2.registry import OPTIMIZERS

# They refuse a stated lr, vectors among the parameters, or are no optimizers by themselves.
OF_THEIR_OWN = {"Adafactor", "Muon", "Optimizer", "ZeroRedundancyOptimizer"}


def decays(**optimizer: object) -> list[float | None]:
    """Weight decay of the weight of a layer, and of that of a norm."""
    model = nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2))
    cfg = Config(dict(optim=dict(optimizer=optimizer, accumulate=1, clip_grad=None, amp=None)))
    groups = build_optim_wrapper(model, optimizer_node(cfg)).optimizer.param_groups
    of = {id(p): group.get("weight_decay") for group in groups for p in group["params"]}
    return [of[id(layer.weight)] for layer in model]


@pytest.mark.parametrize("name", sorted(set(OPTIMIZERS.names()) - OF_THEIR_OWN))
def test_an_optimizer_needs_no_weight_decay(name: str) -> None:
    layer, norm = decays(type=name, lr=0.1)
    assert (layer is None) == (name in ("LBFGS", "Rprop", "SparseAdam"))
    assert not norm


def test_the_decay_of_an_optimizer_s_own_spares_norms_as_a_stated_one_does() -> None:
    assert decays(type="AdamW", lr=0.1) == [0.01, 0.0]
    assert decays(type="AdamW", lr=0.1, weight_decay=0.5) == [0.5, 0.0]
