from __future__ import annotations

import json

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState

from ablations.sweeps.outputs import best_numbers, unequal_trials
from auralsam2 import config


@pytest.fixture
def best():
    """Return the best of trials with these values, or with a state in front of them."""

    def call(directions: list[str], *trials: tuple) -> list[int]:
        study = optuna.create_study(directions=directions)
        for values in trials:
            state = values[0] if isinstance(values[0], TrialState) else TrialState.COMPLETE
            numbers = [value for value in values if not isinstance(value, TrialState)]
            study.add_trial(optuna.create_trial(state=state, values=numbers))
        return best_numbers(study)

    return call


def test_the_best_of_one_objective_is_the_first_of_equals(best) -> None:
    trials = [(0.5,), (TrialState.PRUNED, 0.9), (0.7,), (0.7,)]
    assert best(["maximize"], *trials) == [2]
    assert best(["minimize"], *trials) == [0]
    assert best(["maximize"], trials[1]) == []


def test_the_front_of_two_objectives_begins_with_the_best_in_the_first(best) -> None:
    trials = [(0.5, 10), (0.9, 30), (0.8, 40), (0.9, 20)]
    assert best(["maximize", "minimize"], *trials) == [3, 0]


def test_manifest_and_best_config(write_sweep, drive) -> None:
    sweep = write_sweep(title="Toys", seeds=[4])
    drive(sweep, 3)
    manifest = json.loads((sweep.out / "sweep.json").read_text())
    assert (manifest["schema"], manifest["title"], manifest["seeds"]) == (1, "Toys", [4])
    assert manifest["trials"] == {"complete": 3} and len(manifest["best"]) == 1
    assert manifest["sampler"] == {"type": "tpe", "n_startup_trials": 3, "seed": 5}
    assert list(manifest["parameters"]) == [p.name for p in sweep.space.parameters]
    assert manifest["parameters"]["model.fusion.num_heads"]["when"] == {
        "model.fusion": ["SumFusion"]
    }
    best = config.load(sweep.out / "best.py")
    (row,) = (sweep.out / "runs").glob(f"trial-{manifest['best'][0]:04d}-s4-*")
    assert best.seed == 4 and best.optim.epochs == 4
    assert not list(sweep.out.glob(".*"))


def test_trials_without_different_clips_are_told() -> None:
    def trial(number: int, left_out: int | None, state=TrialState.COMPLETE) -> FrozenTrial:
        attrs = {} if left_out is None else {"left_out": left_out}
        value = 0.5 if state == TrialState.COMPLETE else None
        made = optuna.create_trial(state=state, value=value, user_attrs=attrs)
        made.number = number
        return made

    alike = [trial(0, None), trial(1, 0), trial(2, 3, TrialState.FAIL)]
    assert unequal_trials(alike) == unequal_trials([trial(0, 2), trial(1, 2)]) == ""
    told = unequal_trials([*alike, trial(3, 2)])
    assert "(0 in 0, 1; 2 in 3): they do not compare" in told
