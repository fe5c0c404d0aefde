from __future__ import annotations

import json
from types import SimpleNamespace

from ablations.sweeps.outputs import best_numbers, unequal_trials
from auralsam2 import config


def trial(number: int, *values: float, state: str = "COMPLETE") -> SimpleNamespace:
    return SimpleNamespace(number=number, values=values, state=SimpleNamespace(name=state))


def test_the_best_of_one_objective_is_the_first_of_equals() -> None:
    trials = [trial(0, 0.5), trial(1, 0.9, state="PRUNED"), trial(2, 0.7), trial(3, 0.7)]
    assert best_numbers(trials, ["maximize"]) == [2]
    assert best_numbers(trials, ["minimize"]) == [0]
    assert best_numbers([trials[1]], ["maximize"]) == []


def test_the_front_of_two_objectives_begins_with_the_best_in_the_first() -> None:
    trials = [trial(0, 0.5, 10), trial(1, 0.9, 30), trial(2, 0.8, 40), trial(3, 0.9, 20)]
    assert best_numbers(trials, ["maximize", "minimize"]) == [3, 0]


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
    def trial(number: int, left_out: int | None, state: str = "COMPLETE") -> SimpleNamespace:
        attrs = {} if left_out is None else {"left_out": left_out}
        return SimpleNamespace(
            number=number, user_attrs=attrs, state=SimpleNamespace(name=state), values=[0.5]
        )

    alike = [trial(0, None), trial(1, 0), trial(2, 3, "FAIL")]
    assert unequal_trials(alike) == unequal_trials([trial(0, 2), trial(1, 2)]) == ""
    told = unequal_trials([*alike, trial(3, 2)])
    assert "(0 in 0, 1; 2 in 3): they do not compare" in told
