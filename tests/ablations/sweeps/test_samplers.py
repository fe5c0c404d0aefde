from __future__ import annotations

import optuna
import pytest

from ablations.sweeps.samplers import (
    PRUNERS,
    SAMPLERS,
    build_pruner,
    build_sampler,
    numbered,
    parse_node,
    prunes,
    trial_seed,
)
from ablations.sweeps.search_space import SweepError


def ask_and_tell(study: optuna.Study, count: int) -> None:
    for _ in range(count):
        trial = study.ask()
        x, y = trial.suggest_float("x", 0, 1), trial.suggest_int("y", 1, 5)
        study.tell(trial, x * y)


@pytest.mark.parametrize("name", ["TPESampler", "RandomSampler", "CmaEsSampler"])
def test_draws_hang_on_the_number_and_the_past_alone(name: str) -> None:
    def study_of(trials=()) -> optuna.Study:
        sampler = numbered(lambda s: getattr(optuna.samplers, name)(seed=s), seed=3)
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


def test_nodes_name_classes_of_optuna_with_their_arguments(write_sweep) -> None:
    sweep = write_sweep()
    for name in ("tpe", "TPESampler", "optuna.samplers.TPESampler"):
        node = parse_node(SAMPLERS, dict(type=name, n_startup_trials=3), None)
        inner = build_sampler(node, sweep.space, 5)
        assert isinstance(inner, optuna.samplers.TPESampler)
        assert (inner._n_startup_trials, inner._multivariate, inner._group) == (3, True, True)
    node = parse_node(PRUNERS, dict(type="optuna.pruners.PercentilePruner", percentile=25.0), None)
    assert prunes(node) and not prunes({"type": "none"})
    assert isinstance(build_pruner(node, sweep.cfg, sweep.space), optuna.pruners.PercentilePruner)
    hyperband = build_pruner({"type": "HyperbandPruner"}, sweep.cfg, sweep.space)
    assert hyperband._max_resource == 4


def test_every_wrong_argument_of_a_node_is_told() -> None:
    with pytest.raises(SweepError) as error:
        parse_node(PRUNERS, dict(type="hyperband", max_resource=3, min_resources=1), None)
    first, second = error.value.problems
    assert first == "pruner: 'max_resource' is set by the sweep"
    assert second.startswith(
        "pruner: HyperbandPruner got an unknown argument 'min_resources'; did you mean "
        "'min_resource'? known: min_resource"
    )
    with pytest.raises(SweepError, match="PercentilePruner misses its argument 'percentile'"):
        parse_node(PRUNERS, "optuna.pruners.PercentilePruner", None)
    with pytest.raises(SweepError, match="unknown pruner 'medain'; did you mean 'median'"):
        parse_node(PRUNERS, "hyperband", "medain")
