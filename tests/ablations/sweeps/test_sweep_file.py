from __future__ import annotations

from pathlib import Path

import pytest

from ablations.sweeps.samplers import choosy
from ablations.sweeps.search_space import SweepError
from ablations.sweeps.sweep_file import load_sweep


def problems(write_sweep, **stated: object) -> str:
    with pytest.raises(SweepError) as error:
        write_sweep(**stated)
    return "\n".join(error.value.problems)


def test_what_a_file_states(write_sweep) -> None:
    sweep = write_sweep(title="A title", seeds=[1, 2], arguments=dict(overrides={"seed": 7}))
    assert (sweep.name, sweep.title, sweep.seeds) == ("toy_sweep", "A title", (1, 2))
    assert (sweep.cfg.optim.epochs, sweep.cfg.seed) == (4, 7)
    assert (sweep.sampler["type"], sweep.pruner["type"]) == ("tpe", "none")


def test_problems_of_keys(write_sweep) -> None:
    said = problems(write_sweep, spce={}, seeds=[0, 0, -1], enqueue_base=1, sampler_seed=True)
    for part in (
        "unknown key 'spce'; did you mean 'space'?",
        "seeds: got -1, wanted an integer of at least 0",
        "seeds: 0 stands more than once",
        "enqueue_base: got 1, wanted bool",
        "sampler_seed: got True, wanted int",
    ):
        assert part in said


def test_problems_of_all_parts_at_once(write_sweep) -> None:
    said = problems(
        write_sweep,
        overrides={"optim.epohcs": 3},
        space={"x": dict(type="float", low=2, high=1)},
        sampler="tpee",
    )
    assert "base: optim.epohcs: unknown key 'epohcs'; did you mean 'epochs'?" in said
    assert "space, x: low 2 is larger than high 1" in said
    assert "sampler: unknown sampler 'tpee'; did you mean 'tpe'?" in said


def test_problems_of_space_objectives_and_base_at_once(write_sweep) -> None:
    said = problems(
        write_sweep,
        space={
            "optim.optimizer.lr": dict(type="float", low=1.0, high=2.0),
            "optim.x": dict(type="int", low=1, high=2),
        },
        objectives=[dict(metric="JJ")],
        pruner=dict(type="median", n_startup=3),
    )
    for part in (
        "optim.optimizer.lr: the base config holds 0.001, outside 1.0 to 2.0",
        "unknown key 'x'",
        "metric: unknown metric 'JJ'",
        "pruner: MedianPruner got an unknown argument 'n_startup'",
    ):
        assert part in said


def test_several_objectives_are_not_pruned(write_sweep) -> None:
    several = [dict(metric="J"), dict(metric="num_trainable")]
    said = problems(write_sweep, objectives=several, pruner="hyperband")
    assert "pruner: hyperband compares trials by one number, and there are 2 objectives" in said
    said = problems(write_sweep, objectives=[dict(metric="fps")], pruner="median")
    assert "pruner: fps has no curve to prune on; take --pruner none" in said


def test_samplers_say_what_they_cannot_do(write_sweep) -> None:
    said = problems(write_sweep, sampler="grid")
    assert "grid: space, optim.optimizer.lr: a float without a step has no end of values" in said
    assert "sampler: grid takes no conditional parameters" in said
    choices = {"optim.power": dict(type="categorical", choices=[0.9, 1.0])}
    assert "there is none; take tpe" in problems(write_sweep, space=choices, sampler="cmaes")
    said = problems(write_sweep, sampler=dict(type="tpe", seed=3, startup=1))
    assert "'seed' is set by the sweep" in said
    assert "TPESampler got an unknown argument 'startup'" in said
    sweep = write_sweep(sampler="cmaes")
    (note,) = choosy(sweep.sampler).notes(sweep.space)
    assert note == "cmaes draws these at random: model.fusion, model.fusion.num_heads"


def test_the_command_line_wins(write_sweep) -> None:
    sweep = write_sweep(arguments=dict(sampler="random", pruner="median"))
    assert sweep.sampler == {"type": "random"}
    assert sweep.pruner == {"type": "median"}
    same = write_sweep(arguments=dict(sampler="tpe"))
    assert same.sampler == {"type": "tpe", "n_startup_trials": 3}


def test_a_base_that_is_not_to_be_tried(write_sweep) -> None:
    space = {"optim.optimizer.lr": dict(type="float", low=1.0, high=2.0)}
    assert write_sweep(space=space, enqueue_base=False).base_values is None


def test_files_that_are_no_sweep(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="did you mean 'sweeps/fuser_mini'"):
        load_sweep("fuser_mni")
    path = tmp_path / "broken.py"
    path.write_text("base = 1 / 0")
    with pytest.raises(SweepError, match="ZeroDivisionError"):
        load_sweep(str(path))
    path.write_text("base = 3\n")
    with pytest.raises(SweepError, match="(?s)base: got 3, wanted str.*") as error:
        load_sweep(str(path))
    assert "missing key 'space'" in error.value.problems
