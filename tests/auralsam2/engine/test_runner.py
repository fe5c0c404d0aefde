"""What a config's settings become in mmengine's words; learning rates of parts of the model."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import PARAM_SCHEDULERS
from torch import nn

from auralsam2 import config as configs
from auralsam2.config_validation import validate
from auralsam2.engine.runner import optimizer_node, schedule
from auralsam2.engine.train import train
from auralsam2.models.weights import read_state
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


def test_the_optimizer_is_fused_where_it_can_be_unless_the_config_states_its_kind() -> None:
    def kind(**optimizer: Any) -> bool | None:
        node = optimizer_node(optim(optimizer=optimizer), torch.device("cpu"))
        fused: bool | None = node["optimizer"].get("fused")
        return fused

    assert kind(type="AdamW", lr=0.1) is True
    assert kind(type="AdamW", lr=0.1, foreach=True) is None
    assert kind(type="AdamW", lr=0.1, fused=False) is False
    assert kind(type="LBFGS") is None


def test_a_fused_kind_that_a_device_does_not_know_is_not_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuses(*_: Any) -> None:
        raise RuntimeError("`fused=True` requires all the params to be on supported devices")

    monkeypatch.setattr(torch.optim.Adagrad, "step", refuses)
    node = optimizer_node(optim(optimizer=dict(type="Adagrad")), torch.device("cpu"))
    assert "fused" not in node["optimizer"]


class Parts(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.audio_encoder = nn.ModuleDict(dict(network=nn.Linear(2, 2), norm=nn.LayerNorm(2)))
        self.audio_encoder_adapter = nn.Linear(2, 2)
        self.backbone = nn.Linear(2, 2).requires_grad_(False)


def optim(**settings: Any) -> Config:
    optimizer = dict(type="AdamW", lr=0.1, weight_decay=0.5)
    given = dict(optimizer=optimizer, accumulate=1, clip_grad=None, amp=None)
    return Config(dict(optim={**given, **settings}))


def groups(**settings: Any) -> dict[str, tuple[float, float]]:
    """Rate and weight decay of every trained parameter."""
    model = Parts()
    wrapper = build_optim_wrapper(model, optimizer_node(optim(**settings)))
    names = {id(p): name for name, p in model.named_parameters()}
    return {
        names[id(p)]: (pytest.approx(g["lr"]), g["weight_decay"])
        for g in wrapper.optimizer.param_groups
        for p in g["params"]
    }


def test_a_part_has_a_rate_of_its_own_and_keeps_its_decay() -> None:
    usual, slower = groups(), groups(rate_factors=dict(audio_encoder=0.1))
    assert usual.keys() == slower.keys() and not any("backbone" in name for name in usual)
    for name, (rate, decay) in slower.items():
        assert rate == (0.01 if name.startswith("audio_encoder.") else 0.1)
        assert decay == usual[name][1] == (0 if ".norm." in name else 0.5)


def test_the_longest_name_counts() -> None:
    rates = groups(rate_factors={"audio_encoder": 0.1, "audio_encoder.norm": 2})
    assert rates["audio_encoder.norm.weight"][0] == 0.2
    assert rates["audio_encoder.network.weight"][0] == 0.01


@pytest.mark.parametrize("factors", [dict(audio=1), {"backbone": 0.1, "audio_encoder": 2}])
def test_a_part_in_which_nothing_is_trained_is_refused(factors: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"'(audio|backbone)'; trained here: audio_encoder, "):
        groups(rate_factors=factors)


def test_rates_of_parts_hold_for_an_optimizer_without_weight_decay() -> None:
    model = Parts()
    node = optimizer_node(
        optim(optimizer=dict(type="Rprop", lr=0.1), rate_factors=dict(audio_encoder=2))
    )
    found = build_optim_wrapper(model, node).optimizer.param_groups
    assert [(group["lr"], len(group["params"])) for group in found] == [(0.2, 4), (0.1, 2)]


def test_a_rate_to_multiply_is_needed() -> None:
    with pytest.raises(ValueError, match=r"rate_factors multiply optim\.optimizer\.lr"):
        groups(rate_factors=dict(audio_encoder=2), optimizer=dict(type="AdamW", weight_decay=0.5))


@pytest.mark.parametrize("value", [0, -1, True, "0.1", float("nan"), float("inf"), None])
def test_factors_are_positive_numbers(tiny_config: Any, value: Any) -> None:
    tiny_config.optim.rate_factors = dict(audio_encoder=value)
    (problem,) = validate(tiny_config)
    assert problem.startswith("optim.rate_factors.audio_encoder: must be a positive number")
    tiny_config.optim.rate_factors = value
    assert validate(tiny_config)[0].startswith("optim.rate_factors: must be a dict of positive")


def test_a_cosine_over_the_epochs_takes_the_place_of_the_power() -> None:
    optimizer, cfg = (
        torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=0.1),
        optim(epochs=4, power=0.9),
    )
    (usual,) = schedule(cfg)
    assert usual["type"] == "PolyLR" and usual["power"] == 0.9
    cfg.optim.cosine_to = 1e-3
    (node,) = schedule(cfg)
    scheduler = PARAM_SCHEDULERS.build(node, default_args=dict(optimizer=optimizer))
    rates = []
    for _ in range(4):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    expected = [1e-3 + (0.1 - 1e-3) * (1 + math.cos(math.pi * epoch / 4)) / 2 for epoch in range(4)]
    assert rates == pytest.approx(expected)


def test_a_tuned_encoder_is_trained_at_its_rate_saved_counted_and_scored(
    evaluate: Any, tiny_config: Any, tmp_path: Path
) -> None:
    """The one of the tiny config is trained; VGGish is saved and loaded by the same rule."""
    tiny_config.optim.epochs = 1
    tiny_config.optim.clip_grad, tiny_config.optim.warmup = None, 0
    tiny_config.optim.optimizer.weight_decay = 0.0
    configs.set_node(tiny_config, "model.backbone.random_weights", False)
    configs.set_node(tiny_config, "model.backbone.checkpoint", "builtin://sam2-mini")
    states, records = [], []
    for factor in (None, 1.0, 1e-9):
        if factor is not None:
            configs.set_node(tiny_config, "optim.rate_factors", dict(audio_encoder=factor))
        run = tmp_path / str(factor)
        records.append(train(tiny_config, run))
        states.append(read_state(run / "best.safetensors"))
    usual, same, still = states
    assert all(torch.equal(usual[key], same[key]) for key in usual)
    encoder = [key for key in usual if key.startswith("audio_encoder.network.")]
    moved = {key: (usual[key] - still[key]).abs().max() for key in usual}
    assert len(encoder) > 6 and all(1e-4 < moved[key] < 0.02 for key in encoder)
    assert records[0].num_parameters["trainable"] >= sum(usual[key].numel() for key in encoder)
    again = evaluate(tiny_config, tmp_path / "None" / "best.safetensors").splits["test"]
    assert again.metrics == pytest.approx(records[0].metrics["test"])
