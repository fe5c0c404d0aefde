from __future__ import annotations

import optuna
import pytest

from ablations.sweeps.numbered_sampler import NumberedSampler, trial_seed


def ask_and_tell(study: optuna.Study, count: int) -> None:
    for _ in range(count):
        trial = study.ask()
        x, y = trial.suggest_float("x", 0, 1), trial.suggest_int("y", 1, 5)
        study.tell(trial, x * y)


@pytest.mark.parametrize("name", ["TPESampler", "RandomSampler", "CmaEsSampler"])
def test_draws_hang_on_the_number_and_the_past_alone(name: str) -> None:
    def study_of(trials=()) -> optuna.Study:
        sampler = NumberedSampler(lambda s: getattr(optuna.samplers, name)(seed=s), seed=3)
        study = optuna.create_study(sampler=sampler)
        study.add_trials(trials)
        return study

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    whole, first = study_of(), study_of()
    ask_and_tell(whole, 14)
    ask_and_tell(first, 12)
    second = study_of(first.trials)
    ask_and_tell(second, 2)
    assert [t.params for t in second.trials] == [t.params for t in whole.trials]
    assert len({t.params["x"] for t in whole.trials}) == 14


def test_seeds_of_trials_are_apart() -> None:
    seeds = {trial_seed(seed, number) for seed in range(20) for number in range(200)}
    assert len(seeds) == 4000
