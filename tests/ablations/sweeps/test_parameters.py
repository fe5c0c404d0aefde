from __future__ import annotations

from typing import Any

import optuna
import pytest
from optuna.distributions import (
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from ablations.sweeps.search_space import parse_space

from .conftest import LR, space_problems


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        (dict(type="float", low=1, high=1), "low and high are both 1: nothing varies"),
        (dict(type="float", low=1, high=2, step=3), "step: got 3, wanted more than 0"),
        (dict(type="float", low=1, high=2, step=0.1, log=True), "log and step exclude each other"),
        (dict(type="float", low=1, high=float("inf")), "high: got inf, wanted a number"),
        (dict(type="float", low=True, high=2), "low: got True, wanted a number"),
        (dict(type="float", high=2), "low: missing; state a number"),
        (dict(type="float", low=1, high=2, log="yes"), "log: got 'yes', wanted True or False"),
        (dict(type="categorical"), "choices: missing"),
        (dict(type="categorical", choices="ab"), "got 'ab', wanted a list of values"),
        (dict(type="categorical", choices=[True, 1]), "takes some of [True, 1] for equal"),
        (
            dict(type="categorical", choices=[dict(name="a", config="x"), dict(name="b", set={})]),
            "choice 'a': all trials start from one base",
        ),
        (
            dict(type="categorical", choices=[[*range(90)], [1, *range(90)]]),
            "has no short name that stays the same",
        ),
    ],
)
def test_a_parameter_says_what_is_wrong(stated: dict[str, Any], said: str) -> None:
    assert said in space_problems({"x": stated})


def test_steps_end_at_or_below_high() -> None:
    space = parse_space(
        {
            "a": dict(type="float", low=0.1, high=0.7, step=0.2),
            "b": dict(type="int", low=1, high=6, step=2),
        }
    )
    floats, integers = (parameter.grid() for parameter in space.parameters)
    assert floats == pytest.approx([0.1, 0.3, 0.5, 0.7]) and integers == [1, 3, 5]
    with pytest.raises(ValueError, match="has no end of values"):
        parse_space({"a": LR}).parameters[0].grid()


def test_names_of_choices_do_not_hang_on_their_order(write_sweep) -> None:
    choices = [dict(type="SumFusion", num_heads=2), dict(type="SumFusion", num_heads=4)]
    named = []
    for ordered in (choices, choices[::-1]):
        space = parse_space({"model.fusion": dict(type="categorical", choices=ordered)})
        named.append(set(space.parameters[0].extremes()))
    assert named[0] == named[1] == {"SumFusion(num_heads=2)", "SumFusion(num_heads=4)"}


def test_distributions_of_optuna_say_the_same_as_nodes() -> None:
    pairs = {
        "a": (FloatDistribution(1e-4, 1e-2, log=True), dict(low=1e-4, high=1e-2, log=True)),
        "b": (FloatDistribution(0.0, 1.0, step=0.25), dict(low=0.0, high=1.0, step=0.25)),
        "c": (IntDistribution(1, 64, log=True), dict(low=1, high=64, log=True)),
        "d": (IntDistribution(2, 8, step=2), dict(low=2, high=8, step=2)),
        "e": (CategoricalDistribution(["batch", "layer"]), dict(choices=["batch", "layer"])),
    }
    kinds = ["float", "float", "int", "int", "categorical"]
    stated = parse_space({name: distribution for name, (distribution, _) in pairs.items()})
    nodes = parse_space(
        {name: dict(node, type=kind) for kind, (name, (_, node)) in zip(kinds, pairs.items())}
    )
    assert stated == nodes
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    trial = study.ask()
    stated.suggest(trial)
    assert trial.distributions == {name: distribution for name, (distribution, _) in pairs.items()}
