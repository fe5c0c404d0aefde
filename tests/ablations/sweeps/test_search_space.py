from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import pytest

from ablations.sweeps.search_space import SweepError, parse_space
from auralsam2 import config

from .conftest import FUSION, LR, SPACE, space_problems


@pytest.fixture
def cfg(scored_components: None, base_config: Path) -> Any:
    return config.load(str(base_config), {"optim.optimizer.lr": 1e-3})


def test_all_problems_of_a_space_at_once() -> None:
    said = space_problems(
        {
            "optim.optimizer.lr": dict(type="float", low=0, high=1e-2, log=True),
            "optim.power": dict(type="float", low=1.0, high=0.5),
            "data.batch_size": dict(type="int", low=1, high=2.5),
            "optim.epochs": dict(type="itn", low=1, high=2),
            "model.fusion": dict(type="categorical", choices=[dict(type="SumFusion")]),
            "model.depths": dict(type="categorical", choices=[(1, 2), (1, 2)]),
            "seed": dict(type="int", low=0, high=3, hgih=4),
            "model.projector": None,
        }
    )
    for part in (
        "optim.optimizer.lr: log needs low > 0, got 0",
        "optim.power: low 1.0 is larger than high 0.5; swap them",
        "data.batch_size: high: got 2.5, wanted an integer",
        "optim.epochs: unknown type 'itn'; did you mean 'int'?",
        "model.fusion: choices: got only [{'type': 'SumFusion'}]: nothing varies",
        "model.depths: several values are named 'depths=(1, 2)'",
        "seed: unknown key 'hgih'; did you mean 'high'?",
        "model.projector: got None, wanted dict(type=...)",
    ):
        assert part in said


def test_conditions_name_known_parameters_above_and_their_values() -> None:
    heads = dict(type="int", low=1, high=8)
    said = space_problems(
        {
            "a": {**heads, "when": {"model.fusionn": ["SumFusion"]}},
            "b": {**heads, "when": {"model.fusion": ["SumFusion"]}},
            "model.fusion": FUSION,
            "c": {**heads, "when": {"model.fusion": ["Sum"]}},
            "d": {**heads, "when": {"model.fusion": []}},
            "e": {**heads, "when": "model.fusion"},
            "f": {**heads, "when": {"c": 9}},
        }
    )
    wanted = (
        "a: when: unknown parameter 'model.fusionn'; did you mean 'model.fusion'?",
        "b: when: model.fusion stands below; move it above b",
        "c: when: model.fusion never is exactly 'Sum'; its values: 'SumFusion', 'GateFusion'",
        "d: when: no value of model.fusion is listed",
        "e: when: got 'model.fusion', wanted a dict",
    )
    assert [part for part in wanted if part not in said] == []


def test_a_later_parameter_must_not_undo_an_earlier_one() -> None:
    heads = dict(type="int", low=1, high=8)
    said = space_problems({"model.fusion.num_heads": heads, "model.fusion": FUSION})
    assert "model.fusion: sets model.fusion and undoes model.fusion.num_heads" in said


def test_what_the_config_becomes_is_checked_for_every_choice(cfg: Any) -> None:
    space = parse_space(
        {
            "optim.optimizer.lrr": LR,
            "optim.epochs": dict(type="float", low=1, high=3),
            "model.fusion": {
                **FUSION,
                "choices": [dict(type="SumFusion", num_heads=2), dict(type="GateFusin")],
            },
            "model.fusion.num_heads": dict(type="int", low=1, high=8),
        }
    )
    said = "\n".join(space.check(cfg))
    assert "space: optim.optimizer.lrr: unknown key 'lrr'; did you mean 'lr'?" in said
    assert "space, optim.epochs = 3.0: optim.epochs: must be int, got 3.0" in said
    where = "space, model.fusion = 'GateFusin': model.fusion"
    assert f"{where}: unknown fusion 'GateFusin'; did you mean 'GateFusion'?" in said


def test_a_parameter_that_a_choice_does_not_have_needs_a_condition(cfg: Any) -> None:
    space = {"model.fusion": FUSION, "model.fusion.num_heads": dict(type="int", low=1, high=8)}
    (problem,) = parse_space(space).check(cfg)
    assert problem.startswith("space, model.fusion = 'GateFusion': model.fusion.num_heads: unknown")
    assert parse_space(SPACE).check(cfg) == []


def test_values_become_a_config(cfg: Any) -> None:
    space = parse_space(
        {
            **SPACE,
            "prompts": dict(
                type="categorical",
                choices=[dict(name="as is", set={}), dict(name="short", set={"optim.epochs": 1})],
            ),
        }
    )
    trial = optuna.trial.FixedTrial(
        {
            "optim.optimizer.lr": 5e-4,
            "model.fusion": "GateFusion",
            "prompts": "short",
        }
    )
    values = space.suggest(trial)
    assert list(values) == ["optim.optimizer.lr", "model.fusion", "prompts"]
    assert space.overrides(values) == {
        "optim.optimizer.lr": 5e-4,
        "model.fusion": {"type": "GateFusion"},
        "optim.epochs": 1,
    }
    # The choices of a file are not handed out to be changed.
    space.overrides(values)["model.fusion"]["gate"] = 1
    assert space.overrides(values)["model.fusion"] == {"type": "GateFusion"}


def test_the_values_of_the_base(cfg: Any) -> None:
    base = parse_space(SPACE).base_values(cfg)
    assert base == {
        "optim.optimizer.lr": 1e-3,
        "model.fusion": "SumFusion",
        "model.fusion.num_heads": 2,
    }


def test_what_the_base_does_not_state_is_the_default_of_its_class(cfg: Any) -> None:
    config.set_node(cfg, "model.fusion", dict(type="GateFusion"))
    space = {
        "model.fusion.gate": dict(type="float", low=0.0, high=1.0),
        "model.fusion.inner": dict(type="categorical", choices=["a", "b"]),
    }
    with pytest.raises(SweepError) as error:
        parse_space(space).base_values(cfg)
    (problem,) = error.value.problems
    assert problem.startswith("space, model.fusion.inner: what the base config holds is none of")
    del space["model.fusion.inner"]
    assert parse_space(space).base_values(cfg) == {"model.fusion.gate": 0.5}


def test_a_base_outside_of_the_space_is_named(cfg: Any) -> None:
    space = {
        "optim.optimizer.lr": dict(type="float", low=1e-2, high=1.0),
        "optim.power": dict(type="float", low=0.5, high=1.5, step=0.25),
        "model.fusion": {**FUSION, "choices": [dict(type="SumFusion"), dict(type="GateFusion")]},
        "optim.amp": dict(type="int", low=1, high=2),
    }
    with pytest.raises(SweepError) as error:
        parse_space(space).base_values(cfg)
    said = "\n".join(error.value.problems)
    assert "optim.optimizer.lr: the base config holds 0.001, outside 0.01 to 1.0; widen" in said
    assert "optim.power: the base config holds 0.9, outside 0.5 to 1.5 in steps of 0.25" in said
    assert "model.fusion: what the base config holds is none of the choices" in said
    assert "optim.amp: the base config holds None, which is not an integer" in said


def test_conditions_on_integers_nodes_and_plain_values() -> None:
    heads = dict(type="int", low=1, high=4)
    space = parse_space(
        {
            "model.fusion": FUSION,
            "a": dict(heads, when={"model.fusion": dict(type="GateFusion")}),
            "b": dict(heads, when={"a": [1, 2]}),
            "c": dict(type="categorical", choices=[True, False]),
            "d": dict(heads, when={"c": True}),
        }
    )
    of = {parameter.name: parameter.when for parameter in space.parameters}
    assert of["a"] == {"model.fusion": {"GateFusion"}} and of["b"] == {"a": {1, 2}}
    fixed = {"model.fusion": "GateFusion", "a": 3, "c": False}
    assert space.suggest(optuna.trial.FixedTrial(fixed)) == fixed
