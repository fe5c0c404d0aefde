from __future__ import annotations

from pathlib import Path

import optuna
import pytest

from ablations.grids.existing_runs import earlier_config_hash
from ablations.sweeps.open_study import IDENTITY
from ablations.sweeps.search_space import SweepError


def test_a_study_about_something_else_is_refused(write_sweep, open_study) -> None:
    open_study(write_sweep())
    open_study(write_sweep(sampler="random", pruner="median"))  # how to search may change
    changed = write_sweep(seeds=[3], overrides={"optim.power": 1.0})
    with pytest.raises(SweepError, match="another seeds, base config; .* by --out"):
        open_study(changed)
    with pytest.raises(SweepError, match="another objectives; "):
        open_study(write_sweep(objectives=[dict(metric="num_trainable")]))


def test_a_study_of_older_code_goes_on(write_sweep, open_study) -> None:
    sweep = write_sweep()
    study = open_study(sweep)
    known = dict(study.study.user_attrs[IDENTITY])
    del known["files"]
    known["base config"] = earlier_config_hash(sweep.cfg.to_dict())[:10]
    assert known["base config"] != study.study.user_attrs[IDENTITY]["base config"]
    study.storage.set_study_user_attr(study.study._study_id, IDENTITY, known)
    assert open_study(sweep).trials() != []
    with pytest.raises(SweepError, match="with another base config; "):
        open_study(write_sweep(overrides={"optim.power": 1.0}))


def test_other_weights_under_the_same_name_are_another_study(
    write_sweep, open_study, tmp_path: Path
) -> None:
    file = tmp_path / "weights.pt"
    file.write_bytes(b"one")
    named = {"model.projector": dict(type="ToyProjector", dim=str(file))}
    open_study(write_sweep(overrides=named))
    open_study(write_sweep(overrides=named))
    file.write_bytes(b"another")
    with pytest.raises(SweepError, match="with another files; "):
        open_study(write_sweep(overrides=named))


def test_a_foreign_study_of_this_name_is_refused(write_sweep, open_study) -> None:
    sweep = write_sweep()
    study = open_study(sweep)
    study.storage.delete_study(study.study._study_id)
    foreign = optuna.create_study(study_name=sweep.name, storage=study.storage)
    foreign.ask()
    with pytest.raises(SweepError, match="another space, objectives, seeds, base config, data"):
        open_study(sweep)
