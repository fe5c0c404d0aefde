"""Open the study of a sweep, or make it; one about something else is refused."""

from __future__ import annotations

import json
from typing import Any

import optuna
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import TrialState

from ablations.grids.existing_runs import earlier_config_hash
from ablations.sweeps.samplers import build_pruner, build_sampler
from ablations.sweeps.search_space import SweepError
from ablations.sweeps.storage import StorageAddress, quiet
from ablations.sweeps.sweep_file import Sweep
from auralsam2 import config
from auralsam2.engine.identity import digest, file_digests

IDENTITY = "identity"
IS_BASE = "base"
_BASE = "base config"


def open_study(
    sweep: Sweep, address: StorageAddress, storage: BaseStorage, data: str
) -> optuna.Study:
    """Return the study, with the base config in the queue where it is new.

    The caller has locked the storage; ``data`` is the fingerprint of the base config's data.

    Raises:
        SweepError: where there is a study of this name whose trials cannot be compared.
    """
    identity = _identity(sweep, data)
    with quiet():
        _check(sweep, address, storage, identity)
        study = optuna.create_study(
            study_name=sweep.name,
            storage=storage,
            sampler=build_sampler(sweep.sampler, sweep.space, sweep.sampler_seed),
            pruner=build_pruner(sweep.pruner, sweep.cfg, sweep.space),
            directions=[StudyDirection[o.direction.upper()] for o in sweep.objectives],
            load_if_exists=True,
        )
        if IDENTITY not in study.user_attrs:
            study.set_metric_names([objective.metric for objective in sweep.objectives])
            if sweep.base_values is not None:
                attrs = {IS_BASE: True}
                study.enqueue_trial(sweep.base_values, user_attrs=attrs, skip_if_exists=True)
            study.set_user_attr(IDENTITY, identity)  # last: a kill before it does all again
    return study


def _check(
    sweep: Sweep, address: StorageAddress, storage: BaseStorage, identity: dict[str, str]
) -> None:
    try:
        study_id = storage.get_study_id_from_name(sweep.name)
    except KeyError:
        return
    known = storage.get_study_user_attrs(study_id).get(IDENTITY)
    started = any(t.state != TrialState.WAITING for t in storage.get_all_trials(study_id))
    if known == identity or (known is None and not started):
        return
    stated = known if isinstance(known, dict) else {}
    # What studies by older code do not state is not known to differ, and they have other hashes.
    older = {_BASE: earlier_config_hash(sweep.cfg.to_dict())[:10]}
    differing = [k for k in identity if stated.get(k) not in (identity[k], older.get(k), None)]
    if stated and not differing:
        return
    said = (
        f"{address.shown} holds a study {sweep.name!r} with another "
        f"{', '.join(differing or identity)}; trials of both cannot be compared: give this one a "
        "folder of its own by --out, or put back what has changed"
    )
    raise SweepError([said])


def _identity(sweep: Sweep, data: str) -> dict[str, str]:
    """Return what trials must have in common; the parts are named in an error."""
    return {
        "space": _short(sweep.space.describe()),
        "objectives": _short([[o.metric, o.direction] for o in sweep.objectives]),
        "seeds": _short(sweep.seeds),
        _BASE: config.config_hash(sweep.cfg)[:10],
        "data": data[:10],
        "files": digest(*file_digests(sweep.cfg.to_dict()).values())[:10],
    }


def _short(content: Any) -> str:
    return digest(json.dumps(content, sort_keys=True, default=str))[:10]
